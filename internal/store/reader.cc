#include "internal/store/reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "internal/base/log.h"
#include "internal/http/gzip_stream.h"
#include "internal/json/reader.h"
#include "internal/store/line_head.h"

namespace gpumon::store {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10U;

// Cuts pieces of a file into lines.
class Lines {
 public:
  Lines(WallTime from, WallTime to, std::string_view needle,
        const std::function<bool(const LineHead&)>& visit, ReadReport& report)
      : from_(from), to_(to), needle_(needle), visit_(visit), report_(report) {}

  // False: no more are wanted.
  bool Add(std::string_view piece) {
    while (!piece.empty() && !ended_) {
      const std::size_t end = piece.find('\n');
      const std::string_view part = piece.substr(0, end);
      too_long_ |= rest_.size() + part.size() > kMaxLineBytes;
      if (end == std::string_view::npos) {
        if (!too_long_) rest_.append(part);
        break;
      }
      if (rest_.empty()) {
        Take(part);
      } else {
        if (!too_long_) rest_.append(part);
        Take(rest_);
      }
      rest_.clear();
      too_long_ = false;
      piece.remove_prefix(end + 1);
    }
    return !ended_;
  }

  // The end of a file: a line without a break behind it is a whole one when it reads as one.
  void EndFile() {
    if (!rest_.empty() || too_long_) Take(rest_);
    rest_.clear();
    too_long_ = false;
  }
  bool ended() const { return ended_; }

 private:
  void Take(std::string_view line) {
    if (line.empty() && !too_long_) return;
    if (!too_long_ && !needle_.empty() && line.find(needle_) == std::string_view::npos) {
      // Whether it is a bad one does not matter then, unless it does not even end as one should.
      if (!line.ends_with('}')) ++report_.bad_lines;
      return;
    }
    handler_.Reset();
    LineHead head;
    if (too_long_ || !json::Read(line, handler_) || !handler_.Fill(head)) {
      ++report_.bad_lines;
      return;
    }
    if (head.time < from_ || head.time > to_) return;
    head.text = line;
    ended_ = !visit_(head);
  }

  const WallTime from_;
  const WallTime to_;
  const std::string_view needle_;
  const std::function<bool(const LineHead&)>& visit_;
  ReadReport& report_;
  HeadHandler handler_;
  std::string rest_;  // of a line whose end has not come
  bool too_long_ = false;
  bool ended_ = false;
};

// False once `alive` is.
bool ReadFile(const std::string& path, bool compressed, const std::function<bool()>& alive,
              Lines& lines, ReadReport& report) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    // Upkeep may have compressed or deleted it since.
    if (errno != ENOENT) report.problems.push_back(path + ": " + ReasonOf(errno));
    return true;
  }
  log::Debug("reading snapshots", {{"file", path}});
  ++report.files;
  http::GzipReader gzip;
  std::string piece(kPiece, '\0');
  bool good = true;
  while (good && !lines.ended()) {
    if (!alive()) return false;
    const ssize_t got = read(file.get(), piece.data(), piece.size());
    if (got < 0) report.problems.push_back(path + ": " + ReasonOf(errno));
    if (got <= 0) break;
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
    good = compressed ? gzip.Add(bytes, [&](std::string_view text) { return lines.Add(text); })
                      : lines.Add(bytes);
  }
  if (compressed && !lines.ended() && !gzip.complete()) {
    report.problems.push_back(path + ": its end is missing or broken");
  }
  lines.EndFile();
  return true;
}

}  // namespace

Result<ReadReport> ReadLines(const std::string& folder, WallTime from, WallTime to,
                             std::string_view needle, const std::function<bool()>& alive,
                             const std::function<bool(const LineHead&)>& visit) {
  const auto files = ListDayFiles(folder);
  if (!files) return Error(files.error());
  ReadReport report;
  Lines lines(from, to, needle, visit, report);
  const Day first = DayOf(from) - std::chrono::days(1);
  const Day last = DayOf(to) + std::chrono::days(1);
  for (std::size_t i = 0; i < files->size() && !lines.ended(); ++i) {
    const DayFile& file = (*files)[i];
    if (file.day < first || file.day > last) continue;
    // Where both are there the compressed one is whole.
    const bool left_over =
        !file.compressed && i + 1 < files->size() && (*files)[i + 1].day == file.day;
    if (left_over) continue;
    if (!ReadFile(folder + '/' + DayFileName(file.day, file.compressed), file.compressed, alive,
                  lines, report)) {
      return Error(Code::kOverloaded,
                   "there are too many snapshots to read in time; ask for fewer hours");
    }
  }
  return report;
}

}  // namespace gpumon::store
