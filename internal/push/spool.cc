#include "internal/push/spool.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "internal/base/log.h"
#include "internal/store/day_file.h"
#include "internal/store/snapshot.h"

namespace gpumon::push {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "batch-";
constexpr std::string_view kEnding = ".jsonl";
constexpr std::size_t kDigits = 20;

std::string Joined(const std::vector<std::string>& lines) {
  std::string bytes;
  for (const std::string& line : lines) bytes.append(line).append("\n");
  return bytes;
}

std::size_t BytesOf(const std::vector<std::string>& lines) {
  std::size_t bytes = 0;
  for (const std::string& line : lines) bytes += line.size() + 1;
  return bytes;
}

}  // namespace

std::string Spool::Entry::Name() const {
  char digits[kDigits + 1];
  std::snprintf(digits, sizeof digits, "%020llu", static_cast<unsigned long long>(number));
  return std::string(kPrefix)
      .append(digits)
      .append("-")
      .append(key)
      .append("-")
      .append(std::to_string(count))
      .append(kEnding);
}

// "batch-00000000000000000007-KEY-100.jsonl"
std::optional<Spool::Entry> Spool::ParseName(const std::string& name) {
  std::string_view rest = name;
  if (!rest.starts_with(kPrefix) || !rest.ends_with(kEnding)) return std::nullopt;
  rest = rest.substr(kPrefix.size(), rest.size() - kPrefix.size() - kEnding.size());
  const std::size_t dash = rest.rfind('-');
  if (rest.size() < kDigits + 3 || rest[kDigits] != '-' || dash <= kDigits + 1) return std::nullopt;
  Entry entry;
  entry.key = rest.substr(kDigits + 1, dash - kDigits - 1);
  const auto number = std::from_chars(rest.data(), rest.data() + kDigits, entry.number);
  const auto count =
      std::from_chars(rest.data() + dash + 1, rest.data() + rest.size(), entry.count);
  if (number.ec != std::errc() || count.ec != std::errc()) return std::nullopt;
  entry.on_disk = true;
  return entry;
}

Spool::Spool(const std::string& folder, const Limits& limits)
    : folder_(folder + "/spool"), limits_(limits) {}

void Spool::Load() {
  const MutexLock lock(mutex_);
  std::error_code unreadable;
  std::set<std::string> keys;
  for (const auto& file : fs::directory_iterator(folder_, unreadable)) {
    const std::string name = file.path().filename().string();
    if (name.ends_with(".tmp")) {
      unlink(file.path().c_str());  // what a crash left of one that was never added
      continue;
    }
    auto entry = ParseName(name);
    if (!entry) continue;
    std::error_code gone;
    entry->bytes = static_cast<std::size_t>(file.file_size(gone));
    next_number_ = std::max(next_number_, entry->number + 1);
    keys.insert(entry->key);
    entries_.push_back(*std::move(entry));
  }
  // Halves are sent once the whole is gone: where it is still there none of them was.
  std::erase_if(entries_, [&](const Entry& entry) {
    const std::size_t dot = entry.key.rfind('.');
    const bool undone = dot != std::string::npos && keys.count(entry.key.substr(0, dot)) > 0;
    if (undone) unlink(PathOf(entry).c_str());
    return undone;
  });
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.number, a.key) < std::tie(b.number, b.key);
  });
  MakeRoom();
}

Result<void> Spool::Write(const Entry& entry, const std::vector<std::string>& lines) const {
  std::error_code why;
  fs::create_directories(folder_, why);
  auto written = store::WriteWhole(folder_, entry.Name(), Joined(lines));
  if (written) return {};
  return Error(Code::kUnavailable, folder_ + " cannot be written: " + written.error().message);
}

std::optional<std::vector<std::string>> Spool::Read(const Entry& entry) const {
  if (!entry.on_disk) return entry.lines;
  std::ifstream file(PathOf(entry), std::ios::binary);
  if (!file.is_open()) return std::nullopt;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  if (lines.size() != entry.count) return std::nullopt;
  return lines;
}

Result<void> Spool::Add(std::vector<std::string> lines) {
  const MutexLock lock(mutex_);
  Entry entry;
  entry.number = next_number_++;
  entry.key = store::NewId();
  entry.count = lines.size();
  entry.bytes = BytesOf(lines);
  auto written = Write(entry, lines);
  entry.on_disk = written.has_value();
  if (!written) entry.lines = std::move(lines);
  if (written) WriteWhatWaits();
  entries_.push_back(std::move(entry));
  MakeRoom();
  return written;
}

// There is room again.
void Spool::WriteWhatWaits() {
  for (Entry& entry : entries_) {
    if (entry.on_disk || entry.taken) continue;
    if (!Write(entry, entry.lines)) return;
    entry.on_disk = true;
    entry.lines.clear();
  }
}

void Spool::MakeRoom() {
  for (const bool on_disk : {true, false}) {
    std::size_t bytes = 0;
    for (const Entry& entry : entries_) bytes += entry.on_disk == on_disk ? entry.bytes : 0;
    const std::size_t most = on_disk ? limits_.max_bytes : limits_.max_memory_bytes;
    for (auto entry = entries_.begin(); entry != entries_.end() && bytes > most;) {
      if (entry->taken || entry->on_disk != on_disk) {
        ++entry;
        continue;
      }
      bytes -= entry->bytes;
      dropped_ += entry->count;
      if (entry->on_disk) unlink(PathOf(*entry).c_str());
      entry = entries_.erase(entry);
    }
  }
}

Spool::Entries::iterator Spool::Find(const std::string& key) {
  return std::find_if(entries_.begin(), entries_.end(),
                      [&](const Entry& entry) { return entry.key == key; });
}

std::optional<Batch> Spool::Take() {
  const MutexLock lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    auto lines = Read(*entry);
    if (!lines) {
      log::Error("a batch of the spool cannot be read: it is put aside, below spool/dead",
                 {{"file", PathOf(*entry)}, {"snapshots", entry->count}});
      entry = MoveAside(entry);
      continue;
    }
    entry->taken = true;
    return Batch{entry->key, *std::move(lines)};
  }
  return std::nullopt;
}

Spool::Entries::iterator Spool::Remove(Entries::iterator entry) {
  if (entry->on_disk) {
    unlink(PathOf(*entry).c_str());
    store::SyncFolder(folder_);
  }
  return entries_.erase(entry);
}

void Spool::Done(const Batch& batch) {
  const MutexLock lock(mutex_);
  if (const auto entry = Find(batch.key); entry != entries_.end()) Remove(entry);
}

void Spool::Return(const Batch& batch) {
  const MutexLock lock(mutex_);
  if (const auto entry = Find(batch.key); entry != entries_.end()) entry->taken = false;
}

void Spool::PutAside(const Batch& batch) {
  const MutexLock lock(mutex_);
  if (const auto entry = Find(batch.key); entry != entries_.end()) MoveAside(entry);
}

Spool::Entries::iterator Spool::MoveAside(Entries::iterator entry) {
  aside_ += entry->count;
  const std::string dead = folder_ + "/dead";
  std::error_code why;
  fs::create_directories(dead, why);
  if (!entry->on_disk) {
    // A disk that has room again, or not: it is lost then.
    (void)store::WriteWhole(dead, entry->Name(), Joined(entry->lines)).has_value();
  } else {
    fs::rename(PathOf(*entry), dead + '/' + entry->Name(), why);
  }
  const auto next = Remove(entry);
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(dead, why)) names.push_back(file.path().string());
  std::sort(names.begin(), names.end());
  names.resize(names.size() - std::min(names.size(), limits_.max_dead));
  for (const std::string& name : names) unlink(name.c_str());
  return next;
}

bool Spool::Split(const Batch& batch) {
  const MutexLock lock(mutex_);
  const auto whole = Find(batch.key);
  if (whole == entries_.end()) return true;
  whole->taken = false;
  if (batch.lines.size() < 2) return false;
  const auto middle = batch.lines.begin() + static_cast<std::ptrdiff_t>(batch.lines.size() / 2);
  std::vector<Entry> halves(2);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    Entry& half = halves[i];
    half.number = whole->number;
    half.key = whole->key + (i == 0 ? ".0" : ".1");
    half.lines = i == 0 ? std::vector<std::string>(batch.lines.begin(), middle)
                        : std::vector<std::string>(middle, batch.lines.end());
    half.count = half.lines.size();
    half.bytes = BytesOf(half.lines);
    half.on_disk = whole->on_disk;
    if (!half.on_disk) continue;
    if (!Write(half, half.lines)) {
      unlink(PathOf(halves[0]).c_str());
      return false;
    }
    half.lines.clear();
  }
  if (whole->on_disk) unlink(PathOf(*whole).c_str());
  store::SyncFolder(folder_);
  const auto at = entries_.erase(whole);
  entries_.insert(at, std::make_move_iterator(halves.begin()),
                  std::make_move_iterator(halves.end()));
  return true;
}

Spool::Counts Spool::counts() const {
  const MutexLock lock(mutex_);
  Counts counts;
  counts.dropped = dropped_;
  counts.aside = aside_;
  counts.batches = entries_.size();
  for (const Entry& entry : entries_) {
    counts.snapshots += entry.count;
    counts.in_memory += entry.on_disk ? 0 : entry.count;
  }
  return counts;
}

Spool::Counts Spool::Save() {
  {
    const MutexLock lock(mutex_);
    WriteWhatWaits();
  }
  return counts();
}

}  // namespace gpumon::push
