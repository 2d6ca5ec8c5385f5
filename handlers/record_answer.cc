#include "handlers/record_answer.h"

#include <algorithm>
#include <string>
#include <utility>

namespace gpumon::handlers {

using models::NullReason;

const models::Snapshot* SnapshotOf(const Result<gpu::Got>& part) {
  return part ? part->snapshot.get() : nullptr;
}

NullReason WhyNone(const Result<gpu::Got>& part) {
  if (!part) return NullReason::kQueryFailed;
  return part->snapshot->sources.empty() ? NullReason::kNotExported : NullReason::kNone;
}

wire::RecordsMeta MetaOf(std::span<const models::Part> names, const GotParts& parts,
                         wire::Page& page) {
  wire::RecordsMeta meta;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string name(models::NameOf(names[i]));
    if (!parts[i]) {
      meta.partial = true;
      meta.warnings.push_back(name + ": query failed (" +
                              std::string(parts[i].error().wire_name()) + ")");
      continue;
    }
    const models::Snapshot& snapshot = *parts[i]->snapshot;
    if (i == 0) meta.as_of = snapshot.as_of;
    meta.partial |= snapshot.partial;
    if (parts[i]->stale && !page.stale) {
      page.stale = true;
      page.stale_code = parts[i]->why.wire_name();
    }
    for (const auto& source : snapshot.sources) {
      const bool known =
          std::find(meta.sources.begin(), meta.sources.end(), source) != meta.sources.end();
      if (!known) meta.sources.push_back(source);
    }
    for (const auto& warning : snapshot.warnings) {
      meta.warnings.push_back(std::string(name).append(": ").append(warning));
    }
  }
  return meta;
}

void SendRecords(Call& call, const RecordQuery& query, std::span<const models::Part> names,
                 const GotParts& parts, const wire::Records& records, std::string_view message) {
  wire::Page page = Select(records, query);
  const wire::RecordsMeta meta = MetaOf(names, parts, page);
  page.partial = meta.partial;
  auto encoded = query.form.csv ? wire::EncodeCsv(records, page)
                                : wire::EncodeRecords(records, meta, page, message);
  SendMade(call, *parts[0], std::move(encoded), page, query.form.csv);
}

void SendRecord(Call& call, const RecordQuery& query, std::span<const models::Part> names,
                const GotParts& parts, const wire::Records& records, std::string_view message) {
  wire::Page page = Select(records, query);
  const wire::RecordsMeta meta = MetaOf(names, parts, page);
  page.partial = meta.partial;
  auto encoded = query.form.csv ? wire::EncodeCsv(records, page)
                                : wire::EncodeRecord(records, meta, page, message);
  SendMade(call, *parts[0], std::move(encoded), page, query.form.csv);
}

void AnswerRecords(const CallPtr& call, std::span<const wire::Column> columns,
                   std::span<const models::Part> names, MakeAnswer make) {
  auto query = ParseRecordQuery(columns, call->parameters());
  if (!query) return call->SendError(query.error());
  if (const auto refused = FutureRefused(*call, query->form.at)) return call->SendError(*refused);
  const auto at = query->form.at;
  const bool allow_stale = query->form.allow_stale;
  GetAll(call, names, at, allow_stale,
         [call, query = *std::move(query), make](const GotParts& parts) {
           if (!parts[0]) return call->SendError(parts[0].error());
           const bool partial = std::any_of(
               parts.begin(), parts.end(),
               [](const Result<gpu::Got>& part) { return !part || part->snapshot->partial; });
           if (partial && !query.form.allow_partial) return call->SendError(PartialRefused());
           if (call->Alive()) make(call, query, parts);
         });
}

}  // namespace gpumon::handlers
