// The answer of a route whose rows are computed from several parts.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "handlers/api.h"
#include "handlers/list_answer.h"
#include "handlers/records.h"
#include "internal/gpu/source.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

// What came of the parts, in the order in which they were asked for.
using GotParts = std::vector<Result<gpu::Got>>;

// Null where the part could not be had.
const models::Snapshot* SnapshotOf(const Result<gpu::Got>& part);
// Why nothing of a part is known, or kNone: the query failed, or no exporter gives it.
models::NullReason WhyNone(const Result<gpu::Got>& part);

// What the envelope says of the parts, `names` of them; a part that failed is a warning and makes
// the answer partial. Tells `page` when one is stale.
wire::RecordsMeta MetaOf(std::span<const models::Part> names, const GotParts& parts,
                         wire::Page& page);

// Selects what `query` asks for and sends it.
void SendRecords(Call& call, const RecordQuery& query, std::span<const models::Part> names,
                 const GotParts& parts, const wire::Records& records, std::string_view message);

// Sends the only row of `records` by itself.
void SendRecord(Call& call, const RecordQuery& query, std::span<const models::Part> names,
                const GotParts& parts, const wire::Records& records, std::string_view message);

// Called on a worker thread while the client is there, when the first part is there and the others
// are what they came to.
using MakeAnswer = void (*)(const CallPtr& call, const RecordQuery& query, const GotParts& parts);
// Checks the parameters, asks for all `names` at once and lets `make` answer. An error when the
// first could not be had, since all rows come from it, or when one is partial and the client wants
// none such.
void AnswerRecords(const CallPtr& call, std::span<const wire::Column> columns,
                   std::span<const models::Part> names, MakeAnswer make);

}  // namespace gpumon::handlers
