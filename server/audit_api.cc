// Reads the log for each request: a reader that stays open would not see segments begun later.
#include "server/audit_api.h"

#include <array>
#include <charconv>
#include <deque>

#include "ordain/audit.h"
#include "ordain/time_text.h"
#include "server/json_object.h"

namespace ordain::server {
namespace {

constexpr size_t kMostRecords = 1000;

struct RecordQuery {
  AuditFilter filter;
  size_t limit = 100;
};

bool read_time(std::string_view text, std::optional<int64_t>* out) {
  TimeParts time;
  if (!parse_timestamp(text, &time) || !duration_in_range(time.seconds, time.nanos)) return false;
  *out = duration_nanos(time.seconds, time.nanos);
  return true;
}

bool read_limit(std::string_view text, size_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && *out >= 1 && *out <= kMostRecords;
}

bool read_effect(std::string_view text, std::optional<Effect>* out) {
  for (const Effect effect : {Effect::allow, Effect::require_approval, Effect::deny}) {
    if (text == to_string(effect)) *out = effect;
  }
  return out->has_value();
}

bool read_kind(std::string_view text, std::optional<RecordKind>* out) {
  for (const RecordKind kind : {RecordKind::denied, RecordKind::pending, RecordKind::intent, RecordKind::outcome,
                                RecordKind::lost, RecordKind::decision, RecordKind::act}) {
    if (text == to_string(kind)) *out = kind;
  }
  return out->has_value();
}

/// @returns whether the parameter is known and its value valid
bool read_parameter(std::string_view name, const std::string& value, RecordQuery& out) {
  struct TextField {
    std::string_view name;
    std::string AuditFilter::* field;
  };
  static constexpr std::array<TextField, 7> kTexts = {{{"agent", &AuditFilter::agent},
                                                       {"principal", &AuditFilter::principal},
                                                       {"tenant", &AuditFilter::tenant},
                                                       {"capability", &AuditFilter::capability},
                                                       {"session", &AuditFilter::session},
                                                       {"action", &AuditFilter::action},
                                                       {"rule", &AuditFilter::rule}}};
  for (const TextField& text : kTexts) {
    if (text.name != name) continue;
    out.filter.*text.field = value;
    return true;
  }
  if (name == "limit") return read_limit(value, &out.limit);
  if (name == "effect") return read_effect(value, &out.filter.effect);
  if (name == "kind") return read_kind(value, &out.filter.kind);
  if (name == "from") return read_time(value, &out.filter.from_ns);
  return name == "to" && read_time(value, &out.filter.to_ns);
}

}  // namespace

HttpResponse show_records(const std::string& database, std::string_view query) {
  const auto parameters = parse_query(query);
  if (!parameters) return error_response(400, "bad_query", "the query is malformed");
  RecordQuery wanted;
  for (const auto& [name, value] : *parameters) {
    if (!read_parameter(name, value, wanted)) {
      return error_response(400, "bad_query", "the parameter `" + name + "` is unknown, or its value is wrong");
    }
  }
  const Result<AuditLog> log = AuditLog::open(database);
  if (!log) return error_response(503, log.error().code, log.error().message);
  std::deque<std::string> lines;
  const auto keep = [&](const AuditRecord& record) {
    lines.push_back(to_json(record));
    if (lines.size() > wanted.limit) lines.pop_front();
    return true;
  };
  Result<void> read;
  if (wanted.filter.empty()) {
    const auto tail = log->tail(wanted.limit);
    if (!tail) return error_response(503, tail.error().code, tail.error().message);
    for (const AuditRecord& record : *tail) keep(record);
  } else {
    read = log->query(wanted.filter, keep);
  }
  if (!read) return error_response(503, read.error().code, read.error().message);
  const auto append = [](std::string& out, const std::string& line) { out += line; };
  return {.body = JsonObject().raw("records", json_array(lines, append)).close(), .headers = {}};
}

}  // namespace ordain::server
