// gpuctl top: what its screen shows, and what keys do to it. Pure functions; see top_screen.h for
// the terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/gpuctl/server.h"
#include "internal/base/clock.h"
#include "internal/base/result.h"

namespace gpumon::ctl {

// Nothing: nobody knows it.
using Known = std::optional<double>;

// A GPU, or a MIG instance.
struct TopGpu {
  std::string node = {};
  std::string id = {};
  std::string model = {};
  std::string holder = {};  // pods
  Known utilization = {};   // %
  Known memory = {};        // % used
  Known temperature = {};   // degrees Celsius
  Known power = {};         // W
};

struct TopNode {
  std::string name = {};
  std::string status = {};
  std::string level = {};
  Known gpus = {};
  Known busy = {};
  Known idle = {};
  Known free = {};
  Known unhealthy = {};
  Known utilization = {};  // %
  Known memory = {};       // % used
  Known temperature = {};  // the hottest GPU's
  Known power = {};        // W
};

// One look at the server. Texts may hold anything.
struct TopFleet {
  std::string server;
  std::optional<WallTime> as_of;
  bool stale = false;
  bool partial = false;
  std::string away;  // why there is nothing newer; "": this is the last answer
  Known gpus, busy, idle, free, unhealthy, unknown, lost;
  Known utilization, power, temperature, users, pods_running, pods_pending;
  Known memory_used, memory_total;  // bytes
  std::vector<TopGpu> all_gpus;
  std::vector<TopNode> all_nodes;
};
// Three questions, after each other.
Result<TopFleet> AskFleet(Server& server);

struct TopKey {
  enum class Kind : std::uint8_t {
    kCharacter,
    kUp,
    kDown,
    kPageUp,
    kPageDown,
    kHome,
    kEnd,
    kEnter,
    kEscape,
    kBackspace,
    kInterrupt,  // Ctrl-C
  };
  Kind kind = Kind::kCharacter;
  std::string text = {};  // of kCharacter: UTF-8
};
// Takes whole keys from the front of what a terminal sent. An escape character alone stays, it may
// be the begin of a key, unless `whole`.
std::vector<TopKey> TakeKeys(std::string& bytes, bool whole);

struct TopSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

// What the user chose.
struct TopView {
  bool nodes = false;  // the list of nodes, not that of GPUs
  std::string node;    // only the GPUs of this one
  std::string sort;    // a name of the table of orders; "" as the server has it
  std::string filter;
  std::string before_typing;  // the filter, to which Escape returns
  bool typing = false;        // a filter
  bool help = false;
  std::string selected;  // a row's key; "" the first
};

// The rows that `view` shows, in order.
struct TopRow {
  std::string key;
  const std::string* node = nullptr;
  const TopGpu* of_gpu = nullptr;  // or
  const TopNode* of_node = nullptr;
};
std::vector<TopRow> RowsOf(const TopFleet& fleet, const TopView& view);
// Where the selected row stands in `rows`; 0 when it is gone.
std::size_t SelectedIn(const std::vector<TopRow>& rows, const TopView& view);

// False: the user is done.
bool Press(const TopKey& key, const TopFleet& fleet, TopSize size, TopView& view);

// As many lines as `size` has rows, none wider than its columns. `colors`: with escape sequences
// for them.
std::vector<std::string> Frame(const TopFleet& fleet, const TopView& view, TopSize size,
                               WallTime now, bool colors);
// Of these lines those that rows of a list have.
std::size_t ListLines(TopSize size);

}  // namespace gpumon::ctl
