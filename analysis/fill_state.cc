// fill_state.cc folds an audit log in memory, and takes from the ops of that store what each state counted.
#include "ordain/fill_state.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>

#include "analysis/late_outcomes.h"
#include "analysis/recorded.h"
#include "analysis/replay_fold.h"
#include "analysis/replay_order.h"
#include "analysis/replay_world.h"
#include "ordain/audit.h"
#include "ordain/history.h"
#include "runtime/state/inspect.h"
#include "runtime/state/store.h"
#include "runtime/state/zones.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace {

/// What the states of a store counted, as its ops say. Its states are numbered as the program does.
class PastCounts {
 public:
  explicit PastCounts(const HistoryTables& tables) : tables_(tables), calls_(tables.states.size()) {}

  std::vector<state::PastCall>& of(StateId state) { return calls_[state]; }

  void note(std::string_view bytes) {
    state::Op op;
    if (!state::decode_op(bytes, &op)) return;
    if (op.kind == state::OpKind::begin) begin(op);
    if (op.kind == state::OpKind::finish) settle(op);
    for (const state::Stamp& stamp : op.stamps) {
      if (!stamp.lost) calls_[stamp.state].push_back({stamp.key, op.at.wall, stamp.amount});
    }
  }

 private:
  struct Held {
    StateId state = 0;
    size_t index = 0;
  };

  void begin(const state::Op& op) {
    std::vector<Held> holds;
    for (const state::Effect& effect : op.effects) {
      if (!effect.counts) continue;
      calls_[effect.state].push_back({effect.key, op.at.wall, effect.amount});
      if (tables_.states[effect.state].kind == StateKind::budget)
        holds.push_back({effect.state, calls_[effect.state].size() - 1});
    }
    if (!holds.empty()) open_[op.call.bytes] = std::move(holds);
  }

  /// A settlement names a hold by its place among those of its call.
  void settle(const state::Op& op) {
    const auto found = open_.find(op.call.bytes);
    if (found == open_.end()) return;
    for (const state::Settlement& settlement : op.settlements) {
      if (settlement.effect >= found->second.size() || settlement.how == state::Settlement::keep) continue;
      const Held& held = found->second[settlement.effect];
      const bool actual = settlement.how == state::Settlement::actual;
      calls_[held.state][held.index].amount = actual ? settlement.amount : state::Amount{0};
    }
    open_.erase(found);
  }

  const HistoryTables& tables_;
  std::vector<std::vector<state::PastCall>> calls_;  ///< by StateId
  std::map<std::array<uint8_t, 16>, std::vector<Held>> open_;
};

/// Plays the records of a log in a world, as they were.
class PastReader {
 public:
  explicit PastReader(ReplayWorld& world)
      : world_(world),
        reader_(world.binder().reads_action(), true),
        order_([this](uint64_t, const std::string& body, const std::string& intent) { play(body, intent); }) {}

  Result<void> read(const AuditLog& log) {
    auto late = LateOutcomes::find(log);
    if (!late.ok()) return late.error();
    late_ = std::move(*late);
    Result<void> done = log.for_each_body(1, [&](uint64_t id, std::string_view body) {
      if (first_id_ == 0) first_id_ = id;
      order_.add(id, body);
      return true;
    });
    order_.finish();
    return done;
  }

  /// When an operator last forgot shares of a state; nothing if nobody did.
  std::optional<int64_t> reset_at(const std::string& state) const {
    const auto found = resets_.find(state);
    return found == resets_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void play(const std::string& body, const std::string& intent) {
    const std::string problem = reader_.read(body, intent);
    const RecordView& record = reader_.record();
    if (!begun_ && first_id_ != 1) world_.doubt_past(record.time_ns);
    begun_ = true;
    if (!problem.empty()) return;
    if (record.kind == RecordKind::act && record.type == "reset") {
      world_.doubt_state(record.target, record.time_ns);
      resets_[std::string(record.target)] = record.time_ns;
      return;
    }
    const std::function<void(Context&)> fill = [this](Context& context) { reader_.fill(context); };
    auto step = step_of_record(reader_, !intent.empty(), fill);
    if (!step) return;
    step->ends_late = late_.has(step->action);
    (void)world_.play(*step);
  }

  ReplayWorld& world_;
  RecordedCall reader_;
  ReplayOrder order_;
  LateOutcomes late_;
  std::map<std::string, int64_t> resets_;
  uint64_t first_id_ = 0;  ///< of the records; 0: there was none
  bool begun_ = false;
};

/// @returns for each state whether the directory keeps it already
Result<std::vector<bool>> states_kept(const std::string& directory, const std::vector<StateDecl>& states) {
  std::vector<bool> out(states.size(), false);
  auto found = state::inspect_state(directory);
  if (!found.ok() && found.error().code == "no_database") return out;
  if (!found.ok()) return found.error();
  for (size_t i = 0; i < states.size(); ++i)
    out[i] = state::find_state(found->ledger, states[i].name, states[i].digest).has_value();
  return out;
}

/// The order among calls of the past and those that a store has counted is not known, so what rules read in order
/// begins empty.
std::vector<bool> states_in_order(const HistoryTables& tables) {
  std::vector<bool> out(tables.states.size(), false);
  for (const StateRead& read : tables.reads) {
    if (read.member == StateMember::after) out[read.state] = out[read.other] = true;
  }
  return out;
}

/// A reset forgot what came before it, of a key that the record may not hold.
state::StatePast past_of(const StateDecl& declared, std::vector<state::PastCall>& calls, const PastReader& reader,
                         std::optional<int64_t> doubted) {
  state::StatePast out;
  out.declared = &declared;
  out.since_ns = doubted.value_or(0);
  const auto reset = reader.reset_at(declared.name);
  if (reset) std::erase_if(calls, [&](const state::PastCall& call) { return call.wall_ns <= *reset; });
  out.calls = std::move(calls);
  return out;
}

}  // namespace

Result<std::vector<FilledState>> fill_state(const std::string& directory, const std::shared_ptr<const Program>& program,
                                            const DecideOptions& options) {
  const HistoryTables& tables = history_tables(*program);
  std::vector<FilledState> out;
  for (const StateDecl& declared : tables.states) out.push_back({declared.name});
  auto log = AuditLog::open(directory);
  if (!log.ok()) return log.error();
  auto kept = states_kept(directory, tables.states);
  if (!kept.ok()) return kept.error();
  const std::vector<bool> ordered = states_in_order(tables);
  std::vector<StateId> wanted;
  for (StateId state = 0; state < tables.states.size(); ++state) {
    out[state].kept = (*kept)[state];
    if (!out[state].kept && !ordered[state]) wanted.push_back(state);
  }
  if (wanted.empty()) return out;
  PastCounts counts(tables);
  auto world = ReplayWorld::make(program, options, ReplayWorld::Follows::records, {},
                                 [&](std::string_view op) { counts.note(op); });
  if (!world.ok()) return world.error();
  PastReader reader(**world);
  if (auto done = reader.read(*log); !done.ok()) return done.error();
  std::vector<state::StatePast> pasts;
  for (const StateId state : wanted) {
    pasts.push_back(past_of(tables.states[state], counts.of(state), reader, (*world)->last_doubt(state)));
    out[state].calls = pasts.back().calls.size();
    out[state].since_ns = pasts.back().since_ns;
  }
  state::StoreOptions store_options;
  store_options.zone_offset = state::zones_of(*program);
  auto store = state::Store::open(directory, std::move(store_options));
  if (!store.ok()) return store.error();
  auto added = (*store)->fill(pasts);
  if (!added.ok()) return added.error();
  for (size_t i = 0; i < wanted.size(); ++i) out[wanted[i]].added = (*added)[i];
  return out;
}

}  // namespace ordain
