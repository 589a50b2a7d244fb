// Where a method that trains a few numbers of a weight's spectrum has them, as PEFT chooses: the
// first of a random permutation of all places.
#pragma once
#include <cstdint>
#include <vector>

namespace afina {

// The first `count` of the numbers 0 .. size - 1 in torch.randperm's order for a generator of this
// seed on the CPU (torch 2.15): Mersenne Twister 19937 (Matsumoto and Nishimura, 1998), and a
// shuffle whose i-th draw, taken modulo what is left, says with which later place i is exchanged.
std::vector<int32_t> first_of_permutation(int64_t size, int64_t count, uint64_t seed);

}  // namespace afina
