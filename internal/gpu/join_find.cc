// Which row of a join another row is a part of.
#include "internal/gpu/join.h"
#include "internal/gpu/row_identity.h"

namespace gpumon::gpu {

using models::Text;

template <class RowT>
bool Join<RowT>::SameGpu(std::uint32_t at, const RowT& row, std::size_t exporter,
                         bool by_uuid) const {
  const RowT& known = rows_[at];
  // Two rows of one exporter are two GPUs, unless only one of them has a UUID, a node, or a compute
  // instance.
  const bool same_node = Agree(known.text(Text::kNode), row.text(Text::kNode));
  if ((by_uuid && last_exporter_[at] == exporter && !same_node) || known.pid != row.pid) {
    return false;
  }
  const bool may_lack_it = kIsProcess && last_exporter_[at] != exporter;
  if (may_lack_it ? !InstancesAgree(known, row) : !SameInstance(known, row)) return false;
  if constexpr (!kIsProcess) {
    if (IsInstance(known) != IsInstance(row)) return false;
    if (!Agree(known.text(Text::kMigUuid), row.text(Text::kMigUuid))) return false;
  }
  if (by_uuid) return known.text(Text::kUuid) == row.text(Text::kUuid);
  const bool one_has_no_uuid =
      last_exporter_[at] == exporter
          ? known.text(Text::kUuid).empty() != row.text(Text::kUuid).empty()
          : known.text(Text::kUuid).empty() || row.text(Text::kUuid).empty();
  const bool part = OneIsOfAPart(known, row);  // its name may tell its profile
  return (one_has_no_uuid || part) && known.text(Text::kNode) == row.text(Text::kNode) &&
         known.text(Text::kGpuId) == row.text(Text::kGpuId) &&
         (part || NamesAgree(known.text(Text::kGpuName), row.text(Text::kGpuName))) &&
         (kIsProcess || Agree(known.text(Text::kVendor), row.text(Text::kVendor)));
}

// Among the rows with its UUID the one of its node, else the only one: a cloned machine may show
// another's UUIDs.
template <class RowT>
std::uint32_t Join<RowT>::FindByUuid(const RowT& row, std::size_t exporter) const {
  std::uint32_t only = RowIndex::kNone;
  bool several = false;
  const std::uint32_t at = by_uuid_.Find(UuidHash(row), [&](std::uint32_t r) {
    if (!SameGpu(r, row, exporter, true)) return false;
    const bool agree = Agree(rows_[r].text(Text::kNode), row.text(Text::kNode));
    if (agree && SameInstance(rows_[r], row)) return true;
    several |= only != RowIndex::kNone;
    only = r;
    return false;
  });
  return at != RowIndex::kNone || several ? at : only;
}

template <class RowT>
std::uint32_t Join<RowT>::Find(const RowT& row, std::size_t exporter) {
  if (!row.text(Text::kUuid).empty()) {
    if (names_.IsCloned(row)) return RowIndex::kNone;
    const std::uint32_t at = FindByUuid(row, exporter);
    if (at != RowIndex::kNone) return at;
  }
  if (row.text(Text::kNode).empty() || row.text(Text::kGpuId).empty()) return RowIndex::kNone;
  if (names_.IsUnclear(row)) {
    counts_.unclear_id += row.text(Text::kUuid).empty() ? 1U : 0U;
    return RowIndex::kNone;
  }
  std::uint32_t only = RowIndex::kNone;
  bool several = false;
  const std::uint32_t at = by_id_.Find(IdHash(row), [&](std::uint32_t r) {
    if (!SameGpu(r, row, exporter, false)) return false;
    if (SameInstance(rows_[r], row)) return true;
    several |= only != RowIndex::kNone;
    only = r;
    return false;
  });
  return at != RowIndex::kNone || several ? at : only;
}

template bool Join<models::GpuMetrics>::SameGpu(std::uint32_t, const models::GpuMetrics&,
                                                std::size_t, bool) const;
template bool Join<models::GpuProcess>::SameGpu(std::uint32_t, const models::GpuProcess&,
                                                std::size_t, bool) const;
template std::uint32_t Join<models::GpuMetrics>::FindByUuid(const models::GpuMetrics&,
                                                            std::size_t) const;
template std::uint32_t Join<models::GpuProcess>::FindByUuid(const models::GpuProcess&,
                                                            std::size_t) const;
template std::uint32_t Join<models::GpuMetrics>::Find(const models::GpuMetrics&, std::size_t);
template std::uint32_t Join<models::GpuProcess>::Find(const models::GpuProcess&, std::size_t);

}  // namespace gpumon::gpu
