// late_outcomes.cc reads a log for the times at which its calls began and ended.
#include "analysis/late_outcomes.h"

#include <cstdint>
#include <optional>

#include "analysis/replay_chunks.h"
#include "runtime/audit/view.h"
#include "runtime/state/ledger.h"

namespace ordain::detail {

Result<LateOutcomes> LateOutcomes::find(const AuditLog& log) {
  // Half a lease, because a replay plays records in another order than they were made, and by other clocks.
  const int64_t long_ns = state::Limits().lease_ns / 2;
  LateOutcomes out;
  OpenCalls<int64_t> begun;
  RecordView view;
  Result<void> done = log.for_each_body(1, [&](uint64_t, std::string_view body) {
    if (!view_record(body, &view) || view.action.empty()) return true;
    if (view.kind == RecordKind::intent || view.kind == RecordKind::decision) {
      begun.add(view.action, view.time_ns);
    } else if (view.kind == RecordKind::outcome) {
      const std::optional<int64_t> began = begun.take(view.action);
      if (began && state::subtract_times(view.time_ns, *began) > long_ns) out.actions_.emplace(view.action);
    }
    return true;
  });
  if (!done.ok()) return done.error();
  return out;
}

}  // namespace ordain::detail
