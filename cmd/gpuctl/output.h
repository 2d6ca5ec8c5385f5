// What stands at the other end of an output.
#pragma once

#include <cstddef>
#include <iosfwd>

namespace gpumon::ctl {

// `stream` is standard output or standard error, and that is a terminal.
bool IsTerminal(const std::ostream& stream);
// The same, and it acts on colours and on the movements of a cursor (TERM is not dumb).
bool TakesSequences(const std::ostream& stream);
// `stream` is standard output or standard error, and goes to a file or another program.
bool IsPiped(const std::ostream& stream);
// Columns of the terminal, at least Page::kColumns; these where there is no terminal.
std::size_t TerminalWidth(const std::ostream& stream);

}  // namespace gpumon::ctl
