# Writes a .cpp with the text of a file as a constant: cmake -DNAME=... -DINPUT=... -DOUTPUT=... -DHEADER=... -P embed.cmake
file(READ "${INPUT}" text)
string(FIND "${text}" ")afina\"" end)
if(NOT end EQUAL -1)
  message(FATAL_ERROR "${INPUT} contains the end mark of a raw string")
endif()
# Pieces, because compilers limit the length of one literal.
string(LENGTH "${text}" length)
set(pieces "")
set(place 0)
while(place LESS length)
  string(SUBSTRING "${text}" ${place} 12000 piece)
  string(APPEND pieces "    R\"afina(${piece})afina\"\n")
  math(EXPR place "${place} + 12000")
endwhile()
get_filename_component(file "${INPUT}" NAME)
file(WRITE "${OUTPUT}" "// ${file}, written by tools/report/embed.cmake.\n#include \"${HEADER}\"\n\nnamespace afina::embedded {\n"
  "const std::string_view ${NAME}(\n${pieces}    \"\");\n}\n")
