// Marks of functions that must be inlined, on the CPU or in CUDA kernels too.
#pragma once

// AFINA_INLINE: inlined always, so that no object file holds a copy of the function. The files of
// engine/cpu are compiled once for each instruction set; of an inline function that several object
// files hold the linker keeps one copy, perhaps one with instructions that this processor lacks.
// Whatever those files call from a header therefore carries this word
// (test/check_isa_symbols.sh looks for what does not).
//
// AFINA_ANYWHERE: the same for functions that run in CUDA kernels as well.
#if defined(__CUDACC__)
#define AFINA_INLINE __forceinline__
#define AFINA_ANYWHERE __host__ __device__ __forceinline__
#else
#define AFINA_INLINE [[gnu::always_inline]] inline
#define AFINA_ANYWHERE [[gnu::always_inline]] inline
#endif
