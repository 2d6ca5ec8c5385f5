// What runs in the containers of tests: says a few lines, then `exit N` or waits.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  for (int i = 1; i <= 30; ++i) std::printf("line %d\n", i);
  std::fflush(stdout);
  if (argc == 3 && std::strcmp(argv[1], "exit") == 0) return std::atoi(argv[2]);
  while (true) pause();
}
