#include "cmd/gpuctl/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

namespace gpumon::ctl {
namespace {

// Another page, no wrapping of long lines, no cursor; and back.
constexpr std::string_view kBegin = "\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[2J";
constexpr std::string_view kEnd = "\x1b[0m\x1b[2J\x1b[?25h\x1b[?7h\x1b[?1049l";
constexpr std::array kFaults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// Of the one terminal: a signal's handler gets at nothing else.
termios before{};

bool WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void Restore() {
  WriteAll(kEnd);
  tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

void OnFault(int signal) {
  Restore();
  // The handler is taken away by now: this ends the program as without it.
  raise(signal);
}

}  // namespace

bool Terminal::IsThere() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

Terminal::Terminal() {
  tcgetattr(STDIN_FILENO, &before);
  for (const int fault : kFaults) {
    struct sigaction action {};
    action.sa_handler = OnFault;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    sigaction(fault, &action, nullptr);
  }
  Enter();
}

Terminal::~Terminal() {
  Leave();
  for (const int fault : kFaults) std::signal(fault, SIG_DFL);
}

void Terminal::Enter() const {
  termios raw = before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
  raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL | INLCR | IGNCR);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  WriteAll(kBegin);
}

void Terminal::Leave() const {
  Restore();
}

TopSize Terminal::size() const {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {size.ws_col, size.ws_row};
}

bool Terminal::Draw(const std::vector<std::string>& lines) const {
  // One write: over ssh a screen comes as a whole.
  std::string bytes = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // Cleared before: behind a line that is full the cursor still stands on its last character.
    bytes += (i == 0 ? "" : "\r\n") + ("\x1b[2K" + lines[i]);
  }
  return WriteAll(bytes);
}

}  // namespace gpumon::ctl
