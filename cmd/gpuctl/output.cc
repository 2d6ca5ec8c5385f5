#include "cmd/gpuctl/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "cmd/gpuctl/page.h"
#include "internal/checks/columns.h"

namespace gpumon::ctl {
namespace {

// -1 where it is neither of the two.
int DescriptorOf(const std::ostream& stream) {
  if (&stream == &std::cout) return STDOUT_FILENO;
  return &stream == &std::cerr ? STDERR_FILENO : -1;
}

}  // namespace

bool IsTerminal(const std::ostream& stream) {
  const int descriptor = DescriptorOf(stream);
  return descriptor >= 0 && isatty(descriptor) == 1;
}

bool IsPiped(const std::ostream& stream) {
  return DescriptorOf(stream) >= 0 && !IsTerminal(stream);
}

bool TakesSequences(const std::ostream& stream) {
  const char* const term = std::getenv("TERM");
  return IsTerminal(stream) && (term == nullptr || std::string_view(term) != "dumb");
}

std::size_t TerminalWidth(const std::ostream& stream) {
  winsize size{};
  if (!IsTerminal(stream) || ioctl(DescriptorOf(stream), TIOCGWINSZ, &size) != 0) {
    return Page::kColumns;
  }
  return std::max<std::size_t>(Page::kColumns, size.ws_col);
}

void PrintError(std::string_view message, std::ostream& err) {
  err << "gpuctl: " << checks::Shown(message) << '\n';
}

void PrintForeign(std::string_view text, std::ostream& out) {
  if (!IsTerminal(out)) {
    out << text;
    return;
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\n\t"), text.size());
    out << checks::Shown(text.substr(0, end)) << text.substr(end, 1);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace gpumon::ctl
