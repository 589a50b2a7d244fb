# The GPU's kernels. Every cuda/*.cu is compiled as C++ for the device `emulated`, always; and by nvcc for the device `cuda`, where nvcc is.
# Included by CMakeLists.txt; gives gpu_parts, to be linked to every program.
option(CUDA "Compile the CUDA kernels when nvcc is found" ON)
file(GLOB kernel_files RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS cuda/*.cu)
file(GLOB emulator_files CONFIGURE_DEPENDS cuda/emulator/*.cpp)

# For the emulator: each file through a generated C++ file that includes it. GCC's instrumentation for data races has every access to memory
# call the emulator (cuda/emulator/access.cpp); with the sanitizers it is AddressSanitizer that watches.
set(emulated_files)
foreach(kernel ${kernel_files})
  get_filename_component(name ${kernel} NAME_WE)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/emulated/${name}.cpp CONTENT "// ${kernel} for the emulator.\n#include \"${kernel}\"\n")
  list(APPEND emulated_files ${CMAKE_BINARY_DIR}/emulated/${name}.cpp)
endforeach()
set(emulated_options -g1)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT SANITIZE AND NOT FUZZ)
  list(APPEND emulated_options -fsanitize=thread --param=tsan-instrument-func-entry-exit=0)
endif()
add_library(emulated OBJECT ${emulated_files})
target_compile_options(emulated PRIVATE ${emulated_options})
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/emulated/test_faults.cpp CONTENT "// For the emulator.\n#include \"test/emulator/faults.cu\"\n")
add_library(emulated_faults OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/emulated/test_faults.cpp)
target_compile_options(emulated_faults PRIVATE ${emulated_options})
add_library(emulator OBJECT ${emulator_files})
set(gpu_parts emulator emulated)

find_program(NVCC nvcc PATHS ENV CUDA_PATH PATH_SUFFIXES bin NO_CACHE)
if(NOT NVCC)
  find_program(NVCC nvcc PATHS /usr/local/cuda/bin NO_CACHE)
endif()
if(NOT CUDA)
  message(STATUS "CUDA is switched off: this build runs on the CPU alone")
elseif(NOT NVCC)
  message(STATUS "nvcc is not installed: this build runs on the CPU alone")
else()
  get_filename_component(cuda_root ${NVCC} REALPATH)
  get_filename_component(cuda_root ${cuda_root} DIRECTORY)
  get_filename_component(cuda_root ${cuda_root} DIRECTORY)
  find_library(CUDART libcudart_static.a PATHS ${cuda_root} PATH_SUFFIXES lib64 lib targets/x86_64-linux/lib NO_DEFAULT_PATH NO_CACHE)
  if(NOT CUDART)
    message(FATAL_ERROR "${NVCC} is there but libcudart_static.a is not below ${cuda_root}; install the CUDA toolkit's cudart-dev, or configure with -DCUDA=OFF")
  endif()
  message(STATUS "CUDA kernels are compiled by ${NVCC} for sm_80 and sm_90a")
  # Commands of our own, not CMake's CUDA language: CMake 3.25 does not know C++20 of this nvcc, and its checks cost more than a kernel.
  # PTX of compute_80 is for GPUs that come later; what sm_90a adds does not outlive it.
  set(NVCC_FLAGS -std=c++20 -O3 -I${CMAKE_SOURCE_DIR} -ccbin ${CMAKE_CXX_COMPILER} -lineinfo --expt-relaxed-constexpr
    --fmad=false --ftz=true  # as the CPU's kernels: a multiply-add only where it is written, denormals are zero
    -gencode arch=compute_80,code=[sm_80,compute_80] -gencode arch=compute_90a,code=sm_90a
    -Werror all-warnings -Xcompiler=-Wall,-Wextra,-Werror,-ffp-contract=off,-fno-math-errno,-fno-trapping-math)
  set(cuda_objects)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/cuda)
  foreach(kernel ${kernel_files})
    get_filename_component(name ${kernel} NAME_WE)
    set(object ${CMAKE_BINARY_DIR}/cuda/${name}.o)
    add_custom_command(OUTPUT ${object} DEPENDS ${kernel} DEPFILE ${object}.d COMMENT "Compiling CUDA kernels of ${kernel}" VERBATIM
      COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${NVCC} ${NVCC_FLAGS} -MD -MF ${object}.d -c ${CMAKE_SOURCE_DIR}/${kernel} -o ${object})
    list(APPEND cuda_objects ${object})
  endforeach()
  add_custom_target(cuda_kernels DEPENDS ${cuda_objects})
  add_library(cuda INTERFACE)
  add_dependencies(cuda cuda_kernels)
  target_link_libraries(cuda INTERFACE ${cuda_objects} ${CUDART} Threads::Threads ${CMAKE_DL_LIBS} rt)
  list(APPEND gpu_parts cuda)
endif()
