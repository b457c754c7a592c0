// store.cc takes turns on a ledger: it locks, catches up with other processes, and makes ops that
// are in force only once they are committed.
#include "runtime/state/store.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_set>

#include "runtime/identity/fork.h"
#include "runtime/state/snapshot.h"
#include "runtime/state/state_file.h"

namespace ordain::state {
namespace {

Error no_room(const Ledger& ledger, uint32_t state) {
  return Error{"state_full", ledger.states[state].definition.name + " has no room for another key or call"};
}

Result<int64_t> present_period(const Definition& definition, const Moment& now, const ZoneOffset& offset) {
  auto period = period_at(definition.period, definition.zone, now.wall, offset);
  if (!period) return Error{"unknown_zone", definition.name + ": the time zone " + definition.zone + " is not known"};
  return *period;
}

Error no_such_state() { return Error{"bad_state", "a call names a state that the store does not have"}; }

}  // namespace

Settlement settle(uint32_t effect, Ending ending, bool irreversible, std::optional<Amount> actual) {
  if (ending == Ending::not_executed) return {effect, Settlement::release, 0};
  if (actual) return {effect, Settlement::actual, *actual};
  const bool spent = ending == Ending::executed || irreversible;
  return {effect, spent ? Settlement::keep : Settlement::release, 0};
}

struct Store::Impl {
  const detail::ProcessMark process;
  std::mutex mutex;
  StoreOptions options;
  Ledger ledger;
  std::optional<StateFile> file;
  bool reload = true;  ///< the ledger may hold ops that were not committed
  uint64_t owner = 0;
};

/// One turn: everything between taking the lock and giving it back. Ops are applied as they are made,
/// so that the rest of the turn sees them. If a shared store's turn is not committed, the ledger is
/// read again in the next.
class Store::Turn {
 public:
  explicit Turn(Impl& impl) : impl_(impl) {}
  ~Turn() {
    if (!lock_.owns_lock()) return;
    if (!impl_.file) {
      publish();  // what a local store has applied is in force, even if the turn failed later
    } else {
      impl_.file->roll_back();
      if (changed_) impl_.reload = true;
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  /// Ops that are due anyway are committed at once, so that they last even if the turn fails.
  Result<void> open() {
    if (impl_.process.is_child()) return Error{"database_error", "the state was opened before this process was forked"};
    lock_ = std::unique_lock(impl_.mutex);
    if (auto entered = enter(); !entered.ok()) return entered;
    if (auto ended = end_expired(); !ended.ok()) return ended;
    if (!changed_ || !impl_.file) return {};
    if (auto committed = commit(); !committed.ok()) return committed;
    return enter();
  }

  /// Numbers an op, checks it and applies it.
  Result<void> add(Op op) {
    op.sequence = ledger().sequence + 1;
    op.at = now_;
    if (auto checked = check_op(ledger(), op); !checked.ok()) return checked;
    const bool kept = impl_.file || impl_.options.observe;
    std::string bytes = kept ? encode_op(op) : std::string();
    changed_ = true;
    if (impl_.file) {
      if (auto written = impl_.file->append(op.sequence, bytes); !written.ok()) return written;
    }
    if (auto applied = apply_op(ledger(), op); !applied.ok()) return applied;
    if (impl_.options.observe) made_.push_back(std::move(bytes));
    return {};
  }

  Result<void> commit() {
    if (impl_.file) {
      if (changed_) {
        auto compacted = impl_.file->compact(ledger(), impl_.options.compact_after);
        if (!compacted.ok()) return compacted.error();
      }
      if (auto committed = impl_.file->commit(); !committed.ok()) return committed;
    } else {
      // What was read may have been trimmed, so time must not be counted from an earlier moment later.
      ledger().timeline.last = now_;
    }
    changed_ = false;
    publish();
    return {};
  }

  Ledger& ledger() { return impl_.ledger; }
  const Moment& now() const { return now_; }

  Result<Reading> ask(const Question& question) {
    if (question.state >= ledger().states.size()) return no_such_state();
    auto period = present_period(ledger().states[question.state].definition, now_, impl_.options.zone_offset);
    if (!period.ok()) return period.error();
    Reading reading = read_state(ledger(), question.state, question.key, question.own, now_, *period);
    if (reading.full) return no_room(ledger(), question.state);
    return reading;
  }

  void view(SessionView& view) {
    const Sessions& sessions = ledger().sessions;
    view.labels = sessions.labels(view.session);
    view.answers.clear();
    for (const CarryQuestion& question : view.questions) {
      view.answers.push_back({sessions.carries(view.session, question.labels, question.words),
                              sessions.carries(view.session, question.labels, {})});
    }
  }

  /// Makes the effects of a call, if there is room for them.
  Result<std::vector<Effect>> reserve(const std::vector<Use>& uses) {
    std::vector<Effect> out;
    out.reserve(uses.size());
    if (ledger().calls.size() >= ledger().limits.calls && !uses.empty())
      return Error{"state_full", "there is no room for another open call"};
    for (const Use& use : uses) {
      if (use.state >= ledger().states.size()) return no_such_state();
      auto period = present_period(ledger().states[use.state].definition, now_, impl_.options.zone_offset);
      if (!period.ok()) return period.error();
      if (!has_room(ledger(), use.state, use.key, now_, *period)) return no_room(ledger(), use.state);
      out.push_back({use.state, use.key, use.amount, *period, use.counts});
    }
    return out;
  }

  /// Marks the stamps whose keys find no room.
  Result<void> make_room(std::vector<Stamp>& stamps) {
    for (Stamp& stamp : stamps) {
      if (stamp.state >= ledger().states.size()) return no_such_state();
      stamp.lost = !has_key_room(ledger(), stamp.state, stamp.key, now_, 0);
    }
    return {};
  }

  /// What still matters of the past of the state that was added last.
  Result<Op> fill_of(const StatePast& past, const Definition& definition) {
    Op out;
    out.kind = OpKind::fill;
    out.state = static_cast<uint32_t>(ledger().states.size() - 1);
    const auto ledger_time = [&](int64_t wall) {
      return std::min(now_.time, subtract_times(now_.time, subtract_times(now_.wall, wall)));
    };
    auto period = present_period(definition, now_, impl_.options.zone_offset);
    if (!period.ok()) return period.error();
    out.period = *period;
    const bool at_once = definition.period == BudgetPeriod::at_once;
    const int64_t kept = definition.window_ns != 0 ? definition.window_ns : ledger().limits.retention_ns;
    out.since = past.since_ns == 0 ? subtract_times(now_.time, kept) : ledger_time(past.since_ns);
    std::unordered_set<std::string_view> keys;
    for (const PastCall& call : past.calls) {
      const int64_t time = ledger_time(call.wall_ns);
      const auto then = period_at(definition.period, definition.zone, call.wall_ns, impl_.options.zone_offset);
      const bool aged = definition.kind == StateKind::history && subtract_times(now_.time, time) > kept;
      if (at_once || aged || then != *period) continue;
      keys.insert(call.key);
      out.past.push_back({call.key, time, call.amount});
    }
    if (keys.size() > ledger().limits.keys) return no_room(ledger(), out.state);
    std::stable_sort(out.past.begin(), out.past.end(), [](const Past& a, const Past& b) { return a.time < b.time; });
    return out;
  }

 private:
  void publish() {
    for (const std::string& op : made_) impl_.options.observe(op);
    made_.clear();
  }

  Result<void> enter() {
    if (impl_.file) {
      if (auto begun = impl_.file->begin(); !begun.ok()) return begun;
      // After an error the ledger stays, so that a file which lost ops is refused the next time too.
      if (auto read = impl_.file->catch_up(impl_.ledger, impl_.reload); !read.ok()) return read;
      impl_.reload = false;
    }
    return set_clock();
  }

  /// Goes on in another boot if need be, and says what the time is.
  Result<void> set_clock() {
    const ClockReading reading = impl_.options.clock();
    Timeline& timeline = ledger().timeline;
    if (timeline.knows(reading)) {
      now_ = timeline.moment(reading);
      return {};
    }
    Op boot;
    boot.kind = OpKind::boot;
    boot.boot = reading.boot;
    boot.offset = timeline.offset_for(reading);
    const int64_t time = add_times(reading.boot_ns, boot.offset);
    now_ = {timeline.started ? std::max(timeline.last.time, time) : time, reading.wall_ns};
    return add(std::move(boot));
  }

  /// Ends the calls of processes that are gone. What they held is released: they were reversible.
  Result<void> end_expired() {
    for (const Id128& call : expired_calls(ledger(), now_.time)) {
      Op end;
      end.kind = OpKind::finish;
      end.call = call;
      const size_t holds = ledger().calls.at(call.bytes).holds.size();
      for (uint32_t i = 0; i < holds; ++i) end.settlements.push_back({i, Settlement::release, 0});
      if (auto ended = add(std::move(end)); !ended.ok()) return ended;
    }
    return {};
  }

  Impl& impl_;
  std::unique_lock<std::mutex> lock_;
  Moment now_;
  bool changed_ = false;
  std::vector<std::string> made_;
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::make_local(StoreOptions options, std::string_view snapshot) {
  auto impl = std::make_unique<Impl>();
  impl->ledger.limits = options.limits;
  if (!snapshot.empty()) {
    auto ledger = load_ledger(snapshot, options.limits);
    if (!ledger.ok()) return ledger.error();
    impl->ledger = std::move(*ledger);
  }
  const Id128 random = Id128::random();
  std::memcpy(&impl->owner, random.bytes.data(), sizeof(impl->owner));
  impl->options = std::move(options);
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Result<std::unique_ptr<Store>> Store::open(const std::string& directory, StoreOptions options) {
  auto file = StateFile::open(directory, options.full_sync, options.busy_wait);
  if (!file.ok()) return file.error();
  auto store = make_local(std::move(options));
  if (!store.ok()) return store.error();
  (*store)->impl_->file.emplace(std::move(*file));
  Turn turn(*(*store)->impl_);
  if (auto opened = turn.open(); !opened.ok()) return opened.error();
  if (auto committed = turn.commit(); !committed.ok()) return committed.error();
  return store;
}

/// Takes a turn in which `fill` completes one op. `fill` may refuse with an error.
template <typename Fill>
Result<uint64_t> Store::make_op(OpKind kind, Fill fill) {
  Turn turn(*impl_);
  if (auto opened = turn.open(); !opened.ok()) return opened.error();
  Op op;
  op.kind = kind;
  Result<void> filled = fill(turn, op);
  if (!filled.ok()) return filled.error();
  if (auto added = turn.add(std::move(op)); !added.ok()) return added.error();
  const uint64_t sequence = turn.ledger().sequence;
  if (auto committed = turn.commit(); !committed.ok()) return committed.error();
  return sequence;
}

Result<std::vector<uint32_t>> Store::define(std::span<const StateDecl> states) {
  Turn turn(*impl_);
  if (auto opened = turn.open(); !opened.ok()) return opened.error();
  std::vector<uint32_t> out;
  for (const StateDecl& declared : states) {
    Op op;
    op.kind = OpKind::define;
    op.definition = define_state(declared);
    const Definition& wanted = op.definition;
    auto found = find_state(turn.ledger(), wanted.name, wanted.digest);
    const auto known = [&](uint32_t number) {
      const Definition& held = turn.ledger().states[number].definition;
      return held == join_definitions(held, wanted);
    };
    if (!found || !known(*found)) {
      if (auto added = turn.add(std::move(op)); !added.ok()) return added.error();
    }
    out.push_back(found ? *found : static_cast<uint32_t>(turn.ledger().states.size() - 1));
  }
  if (auto committed = turn.commit(); !committed.ok()) return committed.error();
  return out;
}

Result<std::vector<bool>> Store::fill(std::span<const StatePast> states) {
  Turn turn(*impl_);
  if (auto opened = turn.open(); !opened.ok()) return opened.error();
  std::vector<bool> out;
  for (const StatePast& one : states) {
    Op define;
    define.kind = OpKind::define;
    define.definition = define_state(*one.declared);
    out.push_back(!find_state(turn.ledger(), define.definition.name, define.definition.digest));
    if (!out.back()) continue;
    const Definition definition = define.definition;
    if (auto added = turn.add(std::move(define)); !added.ok()) return added.error();
    auto fill = turn.fill_of(one, definition);
    if (!fill.ok()) return fill.error();
    if (auto added = turn.add(std::move(*fill)); !added.ok()) return added.error();
  }
  if (auto committed = turn.commit(); !committed.ok()) return committed.error();
  return out;
}

Result<Started> Store::begin(const CallStart& start, const Decide& decide) {
  Turn turn(*impl_);
  if (auto opened = turn.open(); !opened.ok()) return opened.error();
  Started out;
  out.at = turn.now();
  auto effects = turn.reserve(start.uses);
  if (!effects.ok()) return effects.error();
  for (const Question& question : start.questions) {
    auto reading = turn.ask(question);
    if (!reading.ok()) return reading.error();
    out.readings.push_back(*reading);
  }
  if (start.session != nullptr) turn.view(*start.session);
  out.verdict = decide(out.readings, out.at);
  Op op;
  if (out.verdict == Verdict::proceed && !effects->empty()) {
    op.kind = OpKind::begin;
    op.call = start.call;
    op.owner = impl_->owner;
    op.leased = start.leased;
    op.effects = std::move(*effects);
  } else if (out.verdict == Verdict::deny && !start.denied.empty()) {
    op.kind = OpKind::note;
    op.stamps = start.denied;
    if (auto made = turn.make_room(op.stamps); !made.ok()) return made.error();
  }
  if (!op.effects.empty() || !op.stamps.empty()) {
    if (auto added = turn.add(std::move(op)); !added.ok()) return added.error();
    out.sequence = turn.ledger().sequence;
  }
  if (auto committed = turn.commit(); !committed.ok()) return committed.error();
  return out;
}

Result<uint64_t> Store::finish(const Id128& call, std::vector<Settlement> settlements, std::vector<Stamp> stamps) {
  return make_op(OpKind::finish, [&](Turn& turn, Op& op) -> Result<void> {
    if (!turn.ledger().calls.contains(call.bytes))
      return Error{"unknown_call", "the call " + call.hex() + " is not open"};
    op.call = call;
    op.settlements = std::move(settlements);
    op.stamps = std::move(stamps);
    return turn.make_room(op.stamps);
  });
}

Result<uint64_t> Store::note(std::vector<Stamp> stamps) {
  return make_op(OpKind::note, [&](Turn& turn, Op& op) -> Result<void> {
    op.stamps = std::move(stamps);
    return turn.make_room(op.stamps);
  });
}

Result<std::vector<Reading>> Store::read(std::span<const Question> questions) {
  Turn turn(*impl_);
  if (auto opened = turn.open(); !opened.ok()) return opened.error();
  std::vector<Reading> out;
  for (const Question& question : questions) {
    auto reading = turn.ask(question);
    if (!reading.ok()) return reading.error();
    out.push_back(*reading);
  }
  if (auto committed = turn.commit(); !committed.ok()) return committed.error();
  return out;
}

Result<void> Store::renew() {
  auto made = make_op(OpKind::renew, [&](Turn&, Op& op) -> Result<void> {
    op.owner = impl_->owner;
    return {};
  });
  return made.ok() ? Result<void>() : made.error();
}

Result<void> Store::reset(uint32_t state, const std::string& key) {
  auto made = make_op(OpKind::reset, [&](Turn&, Op& op) -> Result<void> {
    op.state = state;
    op.key = key;
    return {};
  });
  return made.ok() ? Result<void>() : made.error();
}

Result<void> Store::start_session(const std::string& session, const std::string& parent) {
  auto made = make_op(OpKind::start, [&](Turn& turn, Op& op) -> Result<void> {
    const Sessions& sessions = turn.ledger().sessions;
    const size_t more = (sessions.find(session) == nullptr ? 1 : 0) + (sessions.find(parent) == nullptr ? 1 : 0);
    if (!has_session_room(turn.ledger(), more, turn.now()))
      return Error{"state_full", "there is no room for another session"};
    op.session = session;
    op.parent = parent;
    return {};
  });
  return made.ok() ? Result<void>() : made.error();
}

Result<void> Store::raise(const std::string& session, LabelSet labels, std::vector<uint64_t> words) {
  auto made = make_op(OpKind::raise, [&](Turn& turn, Op& op) -> Result<void> {
    const bool known = turn.ledger().sessions.find(session) != nullptr;
    if (!known && !has_session_room(turn.ledger(), 1, turn.now()))
      return Error{"state_full", "there is no room for another session"};
    op.session = session;
    op.labels = labels;
    op.words = std::move(words);
    return {};
  });
  return made.ok() ? Result<void>() : made.error();
}

Result<void> Store::clear(const std::string& session, LabelSet labels) {
  auto made = make_op(OpKind::clear, [&](Turn&, Op& op) -> Result<void> {
    op.session = session;
    op.labels = labels;
    return {};
  });
  return made.ok() ? Result<void>() : made.error();
}

Result<void> Store::end_session(const std::string& session) {
  auto made = make_op(OpKind::end, [&](Turn&, Op& op) -> Result<void> {
    op.session = session;
    return {};
  });
  return made.ok() ? Result<void>() : made.error();
}

Result<LabelSet> Store::labels(const std::string& session) {
  Turn turn(*impl_);
  if (auto opened = turn.open(); !opened.ok()) return opened.error();
  const LabelSet out = turn.ledger().sessions.labels(session);
  if (auto committed = turn.commit(); !committed.ok()) return committed.error();
  return out;
}

Result<bool> Store::carries(const std::string& session, LabelSet labels, std::span<const uint64_t> words, bool* full) {
  Turn turn(*impl_);
  if (auto opened = turn.open(); !opened.ok()) return opened.error();
  const bool out = turn.ledger().sessions.carries(session, labels, words);
  if (full != nullptr) *full = turn.ledger().sessions.carries(session, labels, {});
  if (auto committed = turn.commit(); !committed.ok()) return committed.error();
  return out;
}

Result<std::string> Store::save() {
  Turn turn(*impl_);
  if (auto opened = turn.open(); !opened.ok()) return opened.error();
  if (!impl_->file) turn.ledger().timeline.last = turn.now();
  std::string out = save_ledger(turn.ledger());
  if (auto committed = turn.commit(); !committed.ok()) return committed.error();
  return out;
}

Result<void> Store::replay(std::span<const std::string> ops) {
  if (impl_->file) return Error{"bad_state", "the ops of a shared store are in its file"};
  const std::lock_guard lock(impl_->mutex);
  for (const std::string& bytes : ops) {
    Op op;
    if (!decode_op(bytes, &op)) return Error{"bad_state", "an op of the state makes no sense"};
    if (auto applied = apply_op(impl_->ledger, op); !applied.ok()) return applied;
  }
  return {};
}

}  // namespace ordain::state
