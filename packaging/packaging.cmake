# What is installed: the program with its manual and completion, a small model with data to try it on, and the libraries for programs of
# one's own (find_package(afina)). Included by CMakeLists.txt.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(ZSH_COMPLETIONS ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING "Folder for the completion of zsh, below the prefix")

# Archives of the same objects that the program is made of. Whoever links them takes every object (below): files that register themselves
# are named by nobody. The emulator of GPU kernels, which is there to find faults in them, stays out.
set(engine_objects $<TARGET_OBJECTS:engine>)
foreach(isa cpu_scalar ${isa_objects})  # the baseline first, as in the program
  if(TARGET ${isa})
    list(APPEND engine_objects $<TARGET_OBJECTS:${isa}>)
  endif()
endforeach()
list(REMOVE_DUPLICATES engine_objects)
add_library(afina_engine STATIC ${engine_objects})
add_library(afina_model STATIC $<TARGET_OBJECTS:model>)
add_library(afina_data STATIC $<TARGET_OBJECTS:data>)
add_library(afina_tools STATIC $<TARGET_OBJECTS:tools>)
target_link_libraries(afina_engine INTERFACE Threads::Threads)
target_link_libraries(afina_model INTERFACE PkgConfig::PCRE2)
target_link_libraries(afina_data INTERFACE PkgConfig::PCRE2 PkgConfig::ZSTD ZLIB::ZLIB)
target_link_libraries(afina_tools INTERFACE Boost::program_options)
if(EDIT_FOUND)
  target_link_libraries(afina_tools INTERFACE edit)
endif()
if(TARGET cuda)
  target_sources(afina_engine PRIVATE ${cuda_objects})
  add_dependencies(afina_engine cuda_kernels)
  target_link_libraries(afina_engine INTERFACE ${CUDART} ${CMAKE_DL_LIBS} rt)
endif()
set(archives afina_engine afina_model afina_data afina_tools)
set_target_properties(${archives} PROPERTIES LINKER_LANGUAGE CXX)
foreach(archive ${archives})  # by the name that it has after installing, which is not put in place within $<LINK_LIBRARY>
  add_library(afina::${archive} ALIAS ${archive})
endforeach()

# afina::afina is for programs that train; afina::program is the whole command line, for an `afina` with additions of one's own.
add_library(library INTERFACE)
target_include_directories(library INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/afina>)
target_compile_features(library INTERFACE cxx_std_20)
# No contraction but by an explicit fma, as everywhere in afina: the bits are a contract.
target_compile_options(library INTERFACE -ffp-contract=off)
target_link_libraries(library INTERFACE $<LINK_LIBRARY:WHOLE_ARCHIVE,afina::afina_engine,afina::afina_model,afina::afina_data>)
set_target_properties(library PROPERTIES EXPORT_NAME afina)
add_library(program INTERFACE)
target_link_libraries(program INTERFACE library $<LINK_LIBRARY:WHOLE_ARCHIVE,afina::afina_tools>)
add_library(afina::afina ALIAS library)
add_library(afina::program ALIAS program)

# The manual and the completion, by the program itself. Not `man`, which is the source's own folder on some systems.
set(manual ${CMAKE_BINARY_DIR}/manual)
add_custom_command(OUTPUT ${manual}/done DEPENDS afina VERBATIM
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${manual}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${manual}
  COMMAND afina man --out ${manual}/man1
  COMMAND afina completion bash --out ${manual}/afina
  COMMAND afina completion zsh --out ${manual}/_afina
  COMMAND afina completion fish --out ${manual}/afina.fish
  COMMAND ${CMAKE_COMMAND} -E touch ${manual}/done)
add_custom_target(manual ALL DEPENDS ${manual}/done)
add_custom_target(installed DEPENDS afina manual ${archives})  # all that `make install` needs

set(program COMPONENT program)
set(development COMPONENT development)
set(shared_folder ${CMAKE_INSTALL_DATADIR}/afina)
install(TARGETS afina RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} ${program})
install(DIRECTORY ${manual}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} ${program})
install(FILES ${manual}/afina DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions ${program})
install(FILES ${manual}/_afina DESTINATION ${ZSH_COMPLETIONS} ${program})
install(FILES ${manual}/afina.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d ${program})
install(DIRECTORY data/pocket DESTINATION ${shared_folder} ${program}
  FILES_MATCHING PATTERN *.json PATTERN *.safetensors PATTERN README.md PATTERN text EXCLUDE PATTERN grammar EXCLUDE)
install(DIRECTORY data/samples DESTINATION ${shared_folder} ${program}
  FILES_MATCHING PATTERN *.json PATTERN *.jsonl PATTERN *.txt PATTERN README.md)
install(DIRECTORY data/configs DESTINATION ${shared_folder} ${program})
install(FILES README.md LICENSE CHANGELOG.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR} ${program})
install(FILES packaging/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR} ${program})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} ${program})

install(TARGETS ${archives} library program EXPORT afina ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} ${development})
install(DIRECTORY engine model data tools DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/afina ${development} FILES_MATCHING PATTERN *.h
  PATTERN engine/cpu EXCLUDE PATTERN commands EXCLUDE PATTERN tools/main EXCLUDE PATTERN pocket EXCLUDE PATTERN samples EXCLUDE PATTERN configs EXCLUDE)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")  # each Debian package has one
  install(FILES packaging/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libafina-dev ${development})
endif()
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} ${development})
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/afina)
install(EXPORT afina NAMESPACE afina:: FILE targets.cmake DESTINATION ${package_folder} ${development})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/packaging/afina-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES packaging/afina-config.cmake ${CMAKE_BINARY_DIR}/packaging/afina-config-version.cmake
  DESTINATION ${package_folder} ${development})

# Debian packages (`make deb`): afina, the program, and libafina-dev, the libraries.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME afina)
set(MAINTAINER "The afina authors <afina@localhost>" CACHE STRING "Who answers for the Debian packages: Name <address>")
set(CPACK_PACKAGE_CONTACT ${MAINTAINER})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME afina)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "libafina-dev, bash-completion, man-db")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "fine-tunes language models in full and by adapters, for comparison
afina fine-tunes a language model in full and with LoRA and its relatives,
side by side and under equal conditions, and reports what each method cost,
learnt and forgot. It is a training engine written from scratch in C++20
whose results are the same bit for bit on every machine. A small model and
data to try it on are included.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libafina-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "cmake (>= 3.25), g++ (>= 4:12) | g++-12 | clang, pkg-config | pkgconf, libpcre2-dev, libzstd-dev, zlib1g-dev")
if(EDIT_FOUND)
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", libedit-dev")
endif()
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "afina, libboost-program-options-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "engine of afina: tensors, autodiff, transformer models, fine-tuning
Static libraries, headers and examples for programs of one's own on top of
afina: tensors with reverse-mode automatic differentiation, transformer
models read from files, methods of fine-tuning, optimizers, tokenizers.
CMake finds them by find_package(afina).")
include(CPack)
