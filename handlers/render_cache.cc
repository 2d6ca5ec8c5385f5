#include "handlers/render_cache.h"

#include <utility>

#include "internal/http/encoding.h"
#include "internal/wire/encode.h"
#include "internal/wire/table.h"

namespace gpumon::handlers {

Rendered::Rendered(const gpu::Got& got, std::string_view message, bool commands_hidden)
    : snapshot_(got.snapshot), stale_(got.stale), stale_code_(got.why.code) {
  const wire::Table table(*snapshot_, commands_hidden);
  wire::Page page = wire::WholePage(table);
  page.stale = stale_;
  page.stale_code = got.why.wire_name();
  auto encoded = wire::EncodeList(table, page, message);
  identity_ = http::MakeBody(std::move(encoded.body));
  etag_ = std::move(encoded.etag);
}

http::Body Rendered::Gzip() const {
  MutexLock lock(mutex_);
  if (!gzip_) gzip_ = http::MakeBody(http::Gzip(*identity_));
  return gzip_;
}

http::Body Rendered::GzipIfReady() const {
  MutexLock lock(mutex_);
  return gzip_;
}

std::shared_ptr<const Rendered> RenderCache::Find(const gpu::Got& got) const {
  const Slot& slot = SlotOf(got.snapshot->part);
  MutexLock lock(slot.mutex);
  return slot.newest && slot.newest->Is(got) ? slot.newest : nullptr;
}

std::shared_ptr<const Rendered> RenderCache::Make(const gpu::Got& got, std::string_view message,
                                                  bool commands_hidden) {
  Slot& slot = slots_[static_cast<std::size_t>(got.snapshot->part)];
  MutexLock making(slot.making);
  if (auto found = Find(got)) return found;
  auto made = std::make_shared<const Rendered>(got, message, commands_hidden);
  MutexLock lock(slot.mutex);
  slot.newest = made;
  return made;
}

}  // namespace gpumon::handlers
