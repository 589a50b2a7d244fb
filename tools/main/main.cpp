// The afina program.
#include <signal.h>

#include <iostream>

#include "tools/options/command.h"

int main(int count, char** words) {
  // A file that grows beyond its limit (ulimit -f) is an error with words, as a full disk is.
  signal(SIGXFSZ, SIG_IGN);
  const int status = afina::run_program({words + 1, words + count});
  // What was printed may be the result: if it could not be written, all is not well.
  if (std::cout.flush() || status != 0) return status;
  std::cerr << "error: standard output could not be written, as when a disk is full\n";
  return 1;
}
