// Server-Sent Events as a client reads them, and the rows it then has.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "internal/json/document.h"

namespace gpumon::events {

struct Event {
  std::string name;
  std::string data;

  json::Value json() const;  // null when it is none
};

// Text in, events out, however it was cut: as the HTML standard has a browser do it.
class EventReader {
 public:
  // The events that are whole by now.
  std::vector<Event> Take(std::string_view more);
  const std::string& last_id() const { return last_id_; }
  int retry() const { return retry_; }  // ms; 0: not told
  std::size_t comments() const { return comments_; }

 private:
  void TakeLine(std::string_view line, std::vector<Event>& events);

  std::string rest_;
  Event event_;
  std::string id_;
  std::string last_id_;
  int retry_ = 0;
  std::size_t comments_ = 0;
};

// The text of a value, its members `left_out` not among it; equal for equal values.
std::string TextOf(const json::Value& value, const std::vector<std::string>& left_out = {});

// What a client of the stream knows after the events it was given.
class Follower {
 public:
  // False when the event is none of the stream's, or is not as it must be.
  bool Take(const Event& event);
  // Each row without its key, by its key.
  const std::map<std::string, json::Value>& rows() const { return rows_; }
  bool stale() const { return stale_; }
  bool expired() const { return expired_; }
  const std::string& code() const { return code_; }
  const std::string& as_of() const { return as_of_; }
  std::size_t count(const std::string& name) const;  // of events
  std::size_t rows_sent() const { return rows_sent_; }

 private:
  bool TakeRows(const json::Value& rows);

  std::map<std::string, json::Value> rows_;
  bool stale_ = false;
  bool expired_ = false;
  std::string code_;
  std::string as_of_;
  std::map<std::string, std::size_t> counts_;
  std::size_t rows_sent_ = 0;
};

}  // namespace gpumon::events
