// Text in columns of a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gpumon::checks {

// `text` as a terminal may show it: UTF-8, with a question mark for each character that a terminal
// would act on.
std::string Shown(std::string_view text);

// Columns that UTF-8 `text` takes: 2 for East Asian wide characters and emoji, 0 for marks that
// stand on the character before them.
std::size_t DisplayWidth(std::string_view text);

// `text` with blanks behind up to `width` columns.
std::string Padded(std::string_view text, std::size_t width);

// `text` in lines of at most `width` columns, broken at blanks where there are some. One line at
// least.
std::vector<std::string> Wrapped(std::string_view text, std::size_t width);

}  // namespace gpumon::checks
