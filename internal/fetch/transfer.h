// One request on one easy handle. Used inside internal/fetch alone.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

#include "internal/fetch/body_room.h"
#include "internal/fetch/client.h"
#include "internal/fetch/credentials.h"

namespace gpumon::fetch {

struct CurlEasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyDeleter>;

struct CurlListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListDeleter>;

// Lives until its handle has left the multi handle: curl keeps pointers into it. Belongs to the
// I/O thread.
class Transfer {
 public:
  Transfer(CurlEasy easy, Request request, Done done, BodyRoom* room = nullptr);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Sets the handle up; `budget` > 0. kInternal when curl refuses an option.
  Result<void> Prepare(const ClientOptions& options, std::shared_ptr<const Credentials> credentials,
                       Millis budget);

  CURL* easy() const { return easy_.get(); }
  // From now on it takes its room without asking.
  void BecomeFirst();
  // Goes on when it waits for room, and perhaps waits again at once.
  void Resume();
  // What came of it, once curl has said `code`.
  Result<Response> Outcome(CURLcode code);
  // Tells the caller, once. Nothing it throws gets through.
  void Finish(Result<Response> result);
  // A handle that can be used again.
  CurlEasy TakeEasy();

 private:
  static std::size_t OnHeader(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t OnBody(char* bytes, std::size_t size, std::size_t count, void* self);
  std::size_t Append(const char* bytes, std::size_t size);
  // Room for a body of so many bytes; false when there is none now.
  bool TakeRoom(std::size_t bytes);
  void Reserve(std::size_t bytes);
  void KeepEnd();  // of the body, as Request::keep_end has it
  void GiveRoom();
  bool IsCompressed() const;
  bool IsDecoded() const;  // false: a coding that was not asked for
  void SetLimits(const ClientOptions& options, Millis budget);
  void SetRequest();
  void SetTrust();
  template <class T>
  void Set(CURLoption option, T value);
  std::string Header(const char* name) const;
  // All of that name, with commas between them.
  std::string Headers(const char* name) const;

  CurlEasy easy_;
  Request request_;
  Done done_;
  std::shared_ptr<const Credentials> credentials_;
  CurlList headers_;
  BodyRoom* const room_;
  std::size_t taken_ = 0;  // of the shared room
  bool first_ = false;
  bool gzip_ = false;  // was asked for
  bool waiting_ = false;
  std::string body_;
  bool cut_ = false;
  bool whole_head_ = false;  // the empty line behind the headers came
  bool too_large_ = false;
  CURLcode refused_ = CURLE_OK;  // the first option curl did not take
  std::array<char, CURL_ERROR_SIZE> error_{};
};

}  // namespace gpumon::fetch
