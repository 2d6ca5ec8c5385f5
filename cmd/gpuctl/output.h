// What stands at the other end of an output.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string_view>

namespace gpumon::ctl {

// `stream` is standard output or standard error, and that is a terminal.
bool IsTerminal(const std::ostream& stream);
// The same, and it acts on colours and on the movements of a cursor (TERM is not dumb).
bool TakesSequences(const std::ostream& stream);
// `stream` is standard output or standard error, and goes to a file or another program.
bool IsPiped(const std::ostream& stream);
// Columns of the terminal, at least Page::kColumns; these where there is no terminal.
std::size_t TerminalWidth(const std::ostream& stream);

// "gpuctl: " and `message` on a line of its own. Messages quote servers and files: each character
// that a terminal would act on is a question mark.
void PrintError(std::string_view message, std::ostream& err);
// What another program wrote: as it came, but on a terminal likewise, line ends and tabs aside.
void PrintForeign(std::string_view text, std::ostream& out);

}  // namespace gpumon::ctl
