// gpuctl get: the lists of the API, as tables and for scripts.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/gpuctl/cells.h"
#include "internal/config/options.h"
#include "internal/json/document.h"

namespace gpumon::ctl {

struct Column {
  std::string_view title;  // with its unit
  std::string_view field;
  CellKind kind = CellKind::kText;
  bool wide = false;     // only of -o wide
  bool shrinks = false;  // is cut where the line is too long
  bool last = false;     // but only where that of the others was not enough
};

// One row per list.
struct Resource {
  std::string_view name;      // "gpus"
  std::string_view singular;  // "gpu": before the slash of -o name
  std::string_view route;     // "/api/v1/gpu/metrics"
  std::span<const Column> columns;
  std::span<const std::string_view> names;  // the fields of -o name
};
std::span<const Resource> Resources();

// Of `answer`, which is an envelope. `line` gets each line of the table, titles first. Lines of at
// most `width` columns, or as long as they come with 0. With no rows there is no line.
using Line = std::function<void(std::string_view)>;
void WriteTable(const Resource& resource, const json::Value& answer, bool wide, std::size_t width,
                const Line& line);
// `answer` with those of its rows alone that one of `names` names: as WriteNames does, with or
// without the word before its first slash, or by its first or last parts. `missing` gets the names
// that name none.
json::Value ChooseRows(const Resource& resource, const json::Value& answer,
                       const std::vector<std::string>& names, std::vector<std::string>& missing);
// What names a row: "gpu/gpu-node-1/0".
std::string RowName(const Resource& resource, const json::Value& row);
// One line per row: "gpu/gpu-node-1/0".
void WriteNames(const Resource& resource, const json::Value& answer, const Line& line);
// The data as one JSON list, a row a line.
void WriteRows(const json::Value& answer, const Line& line);
// What is to be said of the whole answer beside its rows, a line each.
std::string Notes(const Resource& resource, const json::Value& answer);

config::Rows GetOptions();
// Exit codes as app.h's Exit. `index` is of Resources().
int RunGet(std::size_t index, const config::Values& values, std::ostream& out, std::ostream& err);
template <std::size_t kIndex>
int RunGetOf(const config::Values& values, std::ostream& out, std::ostream& err) {
  return RunGet(kIndex, values, out, err);
}

inline constexpr std::string_view kGetUsage =
    "[NAME...] [-o WORD] [-l NAME=VALUE,...] [--watch] [flags]";
inline constexpr std::string_view kGetDetails =
    R"(Asks a running gpu-monitoring-api for one of its lists and prints it.

  -o table  at most 80 columns, or the terminal's where it is wider; texts that
            do not fit are cut, but not in what goes to another program
  -o wide   more columns, and nothing is cut
  -o json   the rows as the server gives them, with every field
  -o csv    the same as CSV
  -o name   what names each row: gpu/NODE/ID

NAME shows these rows alone: what -o name prints, with or without the word
before the first slash, or the first or last parts of it: gpu-node-1/0, a node,
a pod. Of CSV the server knows no names: --selector chooses there.

"-" is a value that nobody knows; it is never 0. That the answer is old or not
whole, and the server's warnings, are said on standard error, a line each; of
CSV the first two alone.

--selector takes the parameters of the API's list: node, gpu, uuid, model,
namespace, pod, user (exact, or with *), min_FIELD and max_FIELD, limit, at,
window, and so on. Different names must all fit; of one name given several
times one must. --sort-by takes a field, or -FIELD for the highest first.

Exit codes:
  0  printed, be it no row; or --watch was ended by Ctrl-C
  1  a NAME was given that names no row
  2  wrong usage
  3  the server cannot be reached, or refuses
  4  not all of the output could be written

Examples:
  gpuctl get gpus --sort-by -utilization
  gpuctl get nodes gpu-node-1 gpu-node-2
  gpuctl get gpus -l node=gpu-node-1,min_temperature=80 -o wide
  gpuctl get idle -l window=7d,limit=10
  gpuctl get nodes --watch --interval 5s

)";

}  // namespace gpumon::ctl
