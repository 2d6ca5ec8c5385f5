// A terminal of a chosen size, and a program that runs in it.
#pragma once

#include <string>
#include <vector>

#include "tests/fakes/process/wait.h"

namespace gpumon::ctl {

// A tmux server of its own, with one window. One thread at a time.
class Tmux {
 public:
  // `command` is a shell's. Throws std::runtime_error when tmux cannot be started.
  Tmux(std::size_t columns, std::size_t rows, const std::string& command);
  ~Tmux();
  Tmux(const Tmux&) = delete;
  Tmux& operator=(const Tmux&) = delete;

  // Keys as tmux calls them: "n", "Enter", "C-c".
  void Press(const std::vector<std::string>& keys) const;
  void Resize(std::size_t columns, std::size_t rows) const;
  // What the window shows; the second with the escape sequences of its colours.
  std::string Screen() const;
  std::string PaintedScreen() const;
  // Waits until it shows `text`. False when that took too long.
  bool Await(const std::string& text) const;

 private:
  std::string Run(std::vector<std::string> arguments) const;

  process::ScratchDirectory folder_;
};

}  // namespace gpumon::ctl
