// The afina program.
#include "tools/options/command.h"

int main(int count, char** words) { return afina::run_program({words + 1, words + count}); }
