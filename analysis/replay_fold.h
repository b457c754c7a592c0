// ReplayFold judges the calls of a replay where a program remembers something: one after another, each with what the
// calls before it left.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "analysis/late_outcomes.h"
#include "analysis/recorded.h"
#include "analysis/replay_order.h"
#include "analysis/replay_tally.h"
#include "analysis/replay_world.h"
#include "ordain/replay.h"

namespace ordain::detail {

/// @returns true if the calls of a replay depend on each other, because one of the programs remembers something
bool folds_state(const Program& program, const Program* against);

/// The step that a record holds; nothing if it is not about a call. Views `reader`, which holds the record, and `fill`.
std::optional<ReplayStep> step_of_record(const RecordedCall& reader, bool has_intent,
                                         const std::function<void(Context&)>& fill);

/// Use it from one thread.
class ReplayFold {
 public:
  /// @param against nullptr: records are compared with their own verdict
  static Result<std::unique_ptr<ReplayFold>> make(const std::shared_ptr<const Program>& program,
                                                  const std::shared_ptr<const Program>& against,
                                                  const ReplayOptions& options);

  /// Says which calls of the records end late. Call it before the first record.
  void expect_outcomes(LateOutcomes late) { late_ = std::move(late); }
  /// Records come in the order of their ids.
  void add_record(uint64_t id, std::string_view body) {
    if (first_id_ == 0) first_id_ = id;
    order_.add(id, body);
  }
  void judge_line(uint64_t number, std::string_view line);
  /// Judges what is left.
  ReplayReport finish();

 private:
  ReplayFold(const ReplayOptions& options, bool with_action);

  void judge_record(uint64_t id, const std::string& body, const std::string& intent);
  void note_past(int64_t now_ns);
  void forget(const RecordView& act);
  bool settles(const ReplayWorld& world, const ReplayCall& call, ReplayAnswer& answer, bool misfit,
               std::span<const std::string_view> unknown);
  void compare(const ReplayCall& call, const ReplayStep& step, bool misfit, const RecordView* record);

  const ReplayOptions& options_;
  std::unique_ptr<ReplayWorld> new_;       ///< by the new program's own verdicts
  std::unique_ptr<ReplayWorld> recorded_;  ///< the new program, if all had been as recorded
  std::unique_ptr<ReplayWorld> old_;       ///< `against`; nullptr: none
  ReplayTally tally_;
  RecordedCall reader_;
  EventParser parser_;
  Verdict old_verdict_, new_verdict_;
  ReplayOrder order_;
  LateOutcomes late_;
  uint64_t first_id_ = 0;  ///< of the records; 0: there was none
  bool begun_ = false;
};

}  // namespace ordain::detail
