#include <algorithm>
#include <array>
#include <cctype>

#include "cmd/gpuctl/top.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

using Kind = TopKey::Kind;

struct Sequence {
  std::string_view bytes;
  Kind kind;
};
// What terminals send, in both of their modes.
constexpr std::array kSequences = {
    Sequence{"\x1b[A", Kind::kUp},      Sequence{"\x1bOA", Kind::kUp},
    Sequence{"\x1b[B", Kind::kDown},    Sequence{"\x1bOB", Kind::kDown},
    Sequence{"\x1b[5~", Kind::kPageUp}, Sequence{"\x1b[6~", Kind::kPageDown},
    Sequence{"\x1b[H", Kind::kHome},    Sequence{"\x1bOH", Kind::kHome},
    Sequence{"\x1b[1~", Kind::kHome},   Sequence{"\x1b[F", Kind::kEnd},
    Sequence{"\x1bOF", Kind::kEnd},     Sequence{"\x1b[4~", Kind::kEnd},
    Sequence{"\r", Kind::kEnter},       Sequence{"\n", Kind::kEnter},
    Sequence{"\x7f", Kind::kBackspace}, Sequence{"\b", Kind::kBackspace},
    Sequence{"\x03", Kind::kInterrupt},
};

// How long an escape sequence that nobody knows is; 0 when its end has not come.
std::size_t SequenceLength(std::string_view bytes) {
  if (bytes.size() < 2) return 0;
  if (bytes[1] == 'O') return bytes.size() < 3 ? 0 : 3;
  if (bytes[1] != '[') return 1;
  for (std::size_t i = 2; i < bytes.size(); ++i) {
    if (bytes[i] >= '@' && bytes[i] <= '~') return i + 1;
  }
  return 0;
}

// By what a key sorts, the most first.
struct Order {
  std::string_view key;
  Known TopGpu::*of_gpu;
  Known TopNode::*of_node;
};
constexpr std::array kOrders = {
    Order{"u", &TopGpu::utilization, &TopNode::utilization},
    Order{"m", &TopGpu::memory, &TopNode::memory},
    Order{"t", &TopGpu::temperature, &TopNode::temperature},
    Order{"p", &TopGpu::power, &TopNode::power},
};

bool Contains(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool Passes(const TopGpu& gpu, std::string_view filter) {
  return filter.empty() || Contains(gpu.node, filter) || Contains(gpu.model, filter) ||
         Contains(gpu.holder, filter);
}

bool Passes(const TopNode& node, std::string_view filter) {
  return filter.empty() || Contains(node.name, filter) || Contains(node.status, filter) ||
         Contains(node.level, filter);
}

const Order* OrderOf(std::string_view key) {
  const auto* const found = std::find_if(kOrders.begin(), kOrders.end(),
                                         [&](const Order& order) { return order.key == key; });
  return found == kOrders.end() ? nullptr : found;
}

// Nothing is less than any value, so what is unknown comes last.
const Known& ValueOf(const TopRow& row, const Order& order) {
  return row.of_gpu != nullptr ? row.of_gpu->*order.of_gpu : row.of_node->*order.of_node;
}

void Move(const TopFleet& fleet, TopView& view, std::ptrdiff_t by) {
  const auto rows = RowsOf(fleet, view);
  if (rows.empty()) return;
  const auto last = static_cast<std::ptrdiff_t>(rows.size()) - 1;
  const auto at = static_cast<std::ptrdiff_t>(SelectedIn(rows, view));
  view.selected = rows[static_cast<std::size_t>(std::clamp(at + by, std::ptrdiff_t{0}, last))].key;
}

void EnterNode(const TopFleet& fleet, TopView& view) {
  const auto rows = RowsOf(fleet, view);
  if (rows.empty() || !view.node.empty()) return;
  view.node = *rows[SelectedIn(rows, view)].node;
  view.filter.clear();
  view.selected.clear();
}

// One step; false when there is none.
bool GoBack(TopView& view) {
  if (view.help) {
    view.help = false;
  } else if (!view.node.empty()) {
    view.selected = view.nodes ? view.node : std::string();
    view.node.clear();
  } else if (!view.filter.empty()) {
    view.filter.clear();
  } else {
    return false;
  }
  return true;
}

void Type(const TopKey& key, TopView& view) {
  switch (key.kind) {
    case Kind::kCharacter:
      view.filter += key.text;
      break;
    case Kind::kBackspace: {
      std::size_t size = view.filter.size();
      while (size > 0 && (static_cast<unsigned char>(view.filter[--size]) & 0xC0U) == 0x80U) {
      }
      view.filter.resize(size);
      break;
    }
    case Kind::kEscape:
      view.filter = view.before_typing;
      view.typing = false;
      break;
    case Kind::kEnter:
      view.typing = false;
      break;
    default:
      break;
  }
}

bool PressCharacter(std::string_view text, TopView& view) {
  // Only out of a page that hides the list: a filter is Escape's.
  if (text == "q") return (view.help || !view.node.empty()) && GoBack(view);
  if (text == "?" || text == "h") view.help = !view.help;
  const bool sorts = text == "s" || OrderOf(text) != nullptr;
  if (text == "s") view.sort.clear();
  if (OrderOf(text) != nullptr) view.sort = text;
  // What stands first now is what was asked for.
  if (sorts) view.selected.clear();
  if (text == "/") {
    view.typing = true;
    view.before_typing = view.filter;
  }
  if (text == "n") {
    view.nodes = view.node.empty() ? !view.nodes : true;
    view.node.clear();
    view.selected.clear();
  }
  return true;
}

}  // namespace

std::vector<TopKey> TakeKeys(std::string& bytes, bool whole) {
  std::vector<TopKey> keys;
  while (!bytes.empty()) {
    const auto* const known =
        std::find_if(kSequences.begin(), kSequences.end(),
                     [&](const Sequence& one) { return bytes.starts_with(one.bytes); });
    if (known != kSequences.end()) {
      keys.push_back({known->kind});
      bytes.erase(0, known->bytes.size());
    } else if (bytes[0] == '\x1b') {
      const std::size_t length = SequenceLength(bytes);
      if (length == 0 && !whole) break;
      if (length < 2) keys.push_back({Kind::kEscape});
      bytes.erase(0, std::max<std::size_t>(1, length));
    } else {
      const std::string_view character = FrontCharacters(bytes, 1);
      if (HiddenCharacterLength(bytes) == 0 && IsValidUtf8(character)) {
        keys.push_back({Kind::kCharacter, std::string(character)});
      }
      bytes.erase(0, character.size());
    }
  }
  return keys;
}

std::vector<TopRow> RowsOf(const TopFleet& fleet, const TopView& view) {
  std::vector<TopRow> rows;
  if (view.nodes && view.node.empty()) {
    for (const TopNode& node : fleet.all_nodes) {
      if (Passes(node, view.filter)) rows.push_back({node.name, &node.name, nullptr, &node});
    }
  } else {
    for (const TopGpu& gpu : fleet.all_gpus) {
      if (!view.node.empty() && gpu.node != view.node) continue;
      if (Passes(gpu, view.filter)) {
        rows.push_back({gpu.node + '/' + gpu.id, &gpu.node, &gpu, nullptr});
      }
    }
  }
  if (const Order* const order = OrderOf(view.sort)) {
    std::stable_sort(rows.begin(), rows.end(), [&](const TopRow& a, const TopRow& b) {
      return ValueOf(a, *order) > ValueOf(b, *order);
    });
  }
  return rows;
}

std::size_t SelectedIn(const std::vector<TopRow>& rows, const TopView& view) {
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const TopRow& row) { return row.key == view.selected; });
  return found == rows.end() ? 0 : static_cast<std::size_t>(found - rows.begin());
}

bool Press(const TopKey& key, const TopFleet& fleet, TopSize size, TopView& view) {
  if (key.kind == Kind::kInterrupt) return false;
  if (view.typing) {
    Type(key, view);
    return true;
  }
  const auto page = static_cast<std::ptrdiff_t>(ListLines(size));
  const auto all = static_cast<std::ptrdiff_t>(fleet.all_gpus.size() + fleet.all_nodes.size());
  switch (key.kind) {
    case Kind::kCharacter:
      return PressCharacter(key.text, view);
    case Kind::kUp:
      Move(fleet, view, -1);
      break;
    case Kind::kDown:
      Move(fleet, view, 1);
      break;
    case Kind::kPageUp:
      Move(fleet, view, -page);
      break;
    case Kind::kPageDown:
      Move(fleet, view, page);
      break;
    case Kind::kHome:
      Move(fleet, view, -all);
      break;
    case Kind::kEnd:
      Move(fleet, view, all);
      break;
    case Kind::kEnter:
      EnterNode(fleet, view);
      break;
    case Kind::kEscape:
      GoBack(view);
      break;
    case Kind::kBackspace:
    case Kind::kInterrupt:
      break;
  }
  return true;
}

}  // namespace gpumon::ctl
