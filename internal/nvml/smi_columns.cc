#include "internal/nvml/smi_columns.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "internal/base/log.h"
#include "internal/base/text.h"

namespace gpumon::nvml {
namespace {

using models::Quantity;

struct AbsentWord {
  std::string_view word;
  Absence why;
};
constexpr std::array kAbsentWords = {
    AbsentWord{"n/a", Absence::kNotSupported},
    AbsentWord{"not supported", Absence::kNotSupported},
    AbsentWord{"not available", Absence::kNotSupported},
    AbsentWord{"insufficient permissions", Absence::kNoPermission},
    AbsentWord{"gpu is lost", Absence::kGpuLost},
    AbsentWord{"gpu requires reset", Absence::kGpuLost},
};

Reading<bool> ReadFlag(std::string_view cell) {
  const Reading<std::string> word = ReadSmiCell(cell);
  if (!word) return word.absent();
  if (*word != "Enabled" && *word != "Disabled") {
    return Absent{Absence::kError, "neither on nor off: " + log::Quoted(*word)};
  }
  return *word == "Enabled";
}

template <class T>
bool IsLacked(const Reading<T>& reading) {
  return !reading && reading.absent().why == Absence::kNotSupported;
}

// Whether `is` holds of what the column tells; of a name never.
template <class Is>
bool Holds(const SmiColumn& column, const Gpu& gpu, Is is) {
  if (column.quantity != Quantity::kCount) return is(gpu.values[column.quantity]);
  if (column.number != nullptr) return is(gpu.*column.number);
  return column.flag != nullptr && is(gpu.*column.flag);
}
template <class Is>
SmiColumns ThoseOf(const Gpu& gpu, Is is) {
  SmiColumns those;
  for (std::size_t i = 0; i < kSmiColumns.size(); ++i) {
    those[i] = Holds(kSmiColumns[i], gpu, is);
  }
  return those;
}

template <class T>
bool FillOne(const Reading<T>& from, Reading<T>& to) {
  if (!from || !IsLacked(to)) return false;
  to = from;
  return true;
}
bool FillOne(const SmiColumn& column, const Gpu& from, Gpu& to) {
  const Quantity quantity = column.quantity;
  if (quantity != Quantity::kCount) return FillOne(from.values[quantity], to.values[quantity]);
  if (column.number != nullptr) return FillOne(from.*column.number, to.*column.number);
  return column.flag != nullptr && FillOne(from.*column.flag, to.*column.flag);
}

}  // namespace

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

Reading<std::string> ReadSmiCell(std::string_view cell) {
  const std::string_view whole = Trimmed(cell);
  std::string_view word = whole;
  const bool bracketed = word.starts_with('[') && word.ends_with(']') && word.size() > 1;
  if (bracketed) word = word.substr(1, word.size() - 2);
  for (const AbsentWord& row : kAbsentWords) {
    if (EqualsIgnoreCase(word, row.word)) return Absent{row.why, std::string(row.word)};
  }
  if (bracketed || whole.empty() || whole == "ERR!") {
    return Absent{Absence::kError, whole.empty() ? "empty" : log::Quoted(whole)};
  }
  return ReplaceHidden(ToValidUtf8(whole), "?");
}

std::optional<double> SmiNumberOf(std::string_view text) {
  const char* const end = text.data() + text.size();
  if (text.starts_with("0x")) {
    std::uint64_t mask = 0;
    const auto read = std::from_chars(text.data() + 2, end, mask, 16);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return static_cast<double>(mask);
  }
  double number = 0;
  const auto read = std::from_chars(text.data() + (text.starts_with('P') ? 1 : 0), end, number);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> SmiCountOf(std::string_view text) {
  const char* const end = text.data() + text.size();
  std::uint32_t count = 0;
  const auto read = std::from_chars(text.data(), end, count);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return count;
}

Reading<double> ReadSmiNumber(std::string_view cell, double scale) {
  const Reading<std::string> text = ReadSmiCell(cell);
  if (!text) return text.absent();
  const auto number = SmiNumberOf(*text);
  if (!number) return Absent{Absence::kError, "no number: " + log::Quoted(*text)};
  return *number * scale;
}

void SetSmiCell(const SmiColumn& column, std::string_view cell, Gpu& gpu, Software& software) {
  if (column.text != nullptr) {
    gpu.*column.text = ReadSmiCell(cell);
  } else if (column.number != nullptr) {
    gpu.*column.number = ReadSmiNumber(cell, column.scale);
  } else if (column.flag != nullptr) {
    gpu.*column.flag = ReadFlag(cell);
  } else if (column.quantity != Quantity::kCount) {
    Reading<double>& to = gpu.values[column.quantity];
    if (!to) to = ReadSmiNumber(cell, column.scale);
  } else if (column.name == kSmiDriver) {
    software.driver_version = ReadSmiCell(cell);
  } else {
    gpu.index = SmiCountOf(cell).value_or(gpu.index);
  }
}

SmiColumns LackedBy(const Gpu& gpu) {
  return ThoseOf(gpu, [](const auto& reading) { return IsLacked(reading); });
}

SmiColumns ToldBy(const Gpu& gpu) {
  return ThoseOf(gpu, [](const auto& reading) { return static_cast<bool>(reading); });
}

SmiColumns FillLacking(const Gpu& from, Gpu& to) {
  SmiColumns filled;
  for (std::size_t i = 0; i < kSmiColumns.size(); ++i) {
    filled[i] = FillOne(kSmiColumns[i], from, to);
  }
  return filled;
}

}  // namespace gpumon::nvml
