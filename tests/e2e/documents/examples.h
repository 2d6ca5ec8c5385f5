// Commands that a Markdown document shows, with what they printed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace gpumon::e2e {

// One of
//   - a ```console block: a command behind "$ " and its output, up to the next "$ " or the end
//   - a row of a table with the head `| requirement line | command | output |`: command and lines
//     stand between backticks, lines are divided by <br>, a pipe is written \|
// Where the last line is "..." there was more; where a line ends in " ..." that line goes on.
struct Example {
  std::string command;
  std::vector<std::string> lines;
  bool cut = false;  // there was more; `lines` are without the "..."
  // Where the lines stand in the document.
  std::size_t begin = 0;
  std::size_t size = 0;
  bool in_table = false;
};

// In the order of the document. Throws std::runtime_error for a row that cannot be read.
std::vector<Example> ExamplesOf(const std::string& document);

// `output` has the form of what is shown: the same JSON keys and types, the same columns of CSV or
// of a table of gpuctl, the same text but for numbers and the width of gaps.
bool Fits(const Example& shown, const std::string& output);

// What would be shown of this output instead: as many lines, as far, where it is cut.
std::string Pasted(const Example& shown, const std::string& output);

}  // namespace gpumon::e2e
