#include "tests/cmd/gpuctl/tmux.h"

#include <stdexcept>
#include <utility>

#include "tests/fakes/process/child_process.h"

namespace gpumon::ctl {
namespace {

constexpr char kProgram[] = "/usr/bin/tmux";

}  // namespace

Tmux::Tmux(std::size_t columns, std::size_t rows, const std::string& command) {
  // Nothing of the user's own is read.
  folder_.Write("conf", "set -g default-shell /bin/sh\n");
  Run({"-f", folder_.File("conf"), "new-session", "-d", "-x", std::to_string(columns), "-y",
       std::to_string(rows), command + "; exec cat"});
  Run({"set", "-g", "status", "off"});
  Resize(columns, rows);
}

Tmux::~Tmux() {
  process::Run(kProgram, {"-S", folder_.File("socket"), "kill-server"});
}

std::string Tmux::Run(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"-u", "-S", folder_.File("socket")});
  process::Finished ran =
      process::Run(kProgram, arguments, {{"LC_ALL", "C.UTF-8"}, {"SHELL", "/bin/sh"}});
  if (ran.exit_code != 0) throw std::runtime_error("tmux: " + ran.errors);
  return std::move(ran.output);
}

void Tmux::Press(const std::vector<std::string>& keys) const {
  std::vector<std::string> arguments = {"send-keys", "--"};
  arguments.insert(arguments.end(), keys.begin(), keys.end());
  Run(std::move(arguments));
}

void Tmux::Resize(std::size_t columns, std::size_t rows) const {
  Run({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)});
}

std::string Tmux::Screen() const {
  return Run({"capture-pane", "-p"});
}

std::string Tmux::PaintedScreen() const {
  return Run({"capture-pane", "-p", "-e"});
}

bool Tmux::Await(const std::string& text) const {
  return process::WaitUntil([&] { return Screen().find(text) != std::string::npos; },
                            Millis(10'000));
}

}  // namespace gpumon::ctl
