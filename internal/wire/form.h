// Forms that JSON and CSV share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "internal/base/clock.h"

namespace gpumon::wire {

// To the millisecond.
WallTime ToWallTime(double unix_seconds);

// RFC 4180; a text that a spreadsheet would take for a formula gets a leading apostrophe. What is
// not UTF-8, and what a terminal would act on, becomes U+FFFD.
void AppendCsvText(std::string& out, std::string_view given);

// Ends the row that begins at `begin` of `out`. An only cell that is empty becomes `""`: readers
// skip empty lines.
void EndCsvRow(std::string& out, std::size_t begin);

// A weak ETag over both texts.
std::string Tag(std::string_view data, std::string_view warnings);

}  // namespace gpumon::wire
