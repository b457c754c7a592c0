// late_outcomes.cc reads a log for the times at which its calls began and ended.
#include "analysis/late_outcomes.h"

#include <cstdint>
#include <cstring>

#include "analysis/replay_chunks.h"
#include "runtime/audit/view.h"
#include "runtime/state/ledger.h"

namespace ordain::detail {
namespace {

std::string bytes_of_time(int64_t time_ns) {
  std::string out(sizeof time_ns, '\0');
  std::memcpy(out.data(), &time_ns, sizeof time_ns);
  return out;
}

int64_t time_of_bytes(const std::string& bytes) {
  int64_t out = 0;
  std::memcpy(&out, bytes.data(), sizeof out);
  return out;
}

}  // namespace

Result<LateOutcomes> LateOutcomes::find(const AuditLog& log) {
  // Half a lease, because records are told in another order than they were made, and by other clocks.
  const int64_t long_ns = state::Limits().lease_ns / 2;
  LateOutcomes out;
  OpenCalls begun;
  RecordView view;
  Result<void> done = log.for_each_body(1, [&](uint64_t, std::string_view body) {
    if (!view_record(body, &view) || view.action.empty()) return true;
    if (view.kind == RecordKind::intent || view.kind == RecordKind::decision) {
      begun.add(view.action, bytes_of_time(view.time_ns));
    } else if (view.kind == RecordKind::outcome) {
      const std::string began = begun.take(view.action);
      const bool late =
          began.size() == sizeof(int64_t) && state::subtract_times(view.time_ns, time_of_bytes(began)) > long_ns;
      if (late) out.actions_.emplace(view.action);
    }
    return true;
  });
  if (!done.ok()) return done.error();
  return out;
}

}  // namespace ordain::detail
