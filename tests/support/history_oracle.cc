// history_oracle.cc answers by going through everything that happened.
#include "tests/support/history_oracle.h"

#include <algorithm>

namespace ordain::test {
namespace {

bool has_failed(OracleOutcome outcome) {
  return outcome == OracleOutcome::failed || outcome == OracleOutcome::not_executed;
}

/// What a call's hold on a budget amounts to.
OracleAmount held(const OracleState& state, const OracleCall& call, const OracleShare& share) {
  if (call.outcome == OracleOutcome::denied) return 0;
  if (call.outcome == OracleOutcome::running) return share.amount;
  if (state.at_once || call.outcome == OracleOutcome::not_executed) return 0;
  if (share.actual) return *share.actual;
  return call.outcome == OracleOutcome::failed && !call.irreversible ? 0 : share.amount;
}

}  // namespace

size_t HistoryOracle::begin(std::vector<OracleShare> shares, bool irreversible) {
  OracleCall call;
  call.irreversible = irreversible;
  call.begun_at = now_;
  call.begun_place = ++place_;
  for (const OracleShare& share : shares) call.periods.push_back(period(share.state));
  call.before = std::move(shares);
  calls_.push_back(std::move(call));
  return calls_.size() - 1;
}

void HistoryOracle::deny(std::vector<OracleShare> shares) {
  const size_t call = begin(std::move(shares), false);
  calls_[call].outcome = OracleOutcome::denied;
  calls_[call].ended_at = now_;
  calls_[call].ended_place = calls_[call].begun_place;
}

void HistoryOracle::end(size_t call, OracleOutcome outcome, std::vector<OracleShare> after,
                        const std::map<size_t, OracleAmount>& actual) {
  OracleCall& ended = calls_[call];
  ended.outcome = outcome;
  ended.ended_at = now_;
  ended.ended_place = ++place_;
  ended.after = std::move(after);
  for (const auto& [share, amount] : actual) ended.before[share].actual = amount;
}

/// Everything that a history counts for a key, whenever it was, in its order.
std::vector<HistoryOracle::Counted> HistoryOracle::counted(size_t state, const std::string& key) const {
  const OracleState::Verb verb = states_[state].verb;
  std::vector<Counted> out;
  for (const OracleCall& call : calls_) {
    const bool begun = call.outcome != OracleOutcome::denied;
    const bool by_begin = verb == OracleState::begun && begun;
    const bool by_end =
        (verb == OracleState::denied && !begun) || (verb == OracleState::failed && has_failed(call.outcome));
    const bool by_output = verb == OracleState::done && call.outcome == OracleOutcome::released;
    for (const OracleShare& share : by_output ? call.after : call.before) {
      if (share.state != state || share.key != key) continue;
      if (by_begin) out.push_back({call.begun_at, call.begun_place, share.amount});
      if (by_end || by_output) out.push_back({call.ended_at, call.ended_place, share.amount});
    }
  }
  std::sort(out.begin(), out.end(), [](const Counted& a, const Counted& b) { return a.place < b.place; });
  return out;
}

/// The period that a budget is in. It never goes back behind one that a call used.
int64_t HistoryOracle::period(size_t state) const {
  if (states_[state].refilled == 0) return 0;
  int64_t out = wall_ / states_[state].refilled;
  for (const OracleCall& call : calls_) {
    if (call.outcome == OracleOutcome::denied) continue;
    for (size_t i = 0; i < call.before.size(); ++i) {
      if (call.before[i].state == state) out = std::max(out, call.periods[i]);
    }
  }
  return out;
}

OracleAmount HistoryOracle::used(size_t state, const std::string& key) const {
  OracleAmount out = 0;
  const int64_t present = period(state);
  for (const OracleCall& call : calls_) {
    for (size_t i = 0; i < call.before.size(); ++i) {
      const OracleShare& share = call.before[i];
      if (share.state == state && share.key == key && call.periods[i] == present)
        out += held(states_[state], call, share);
    }
  }
  return out;
}

/// How long it takes until one more call keeps to the rate: each call is paid for by its part of the period, and
/// `burst - 1` parts may be owed.
int64_t HistoryOracle::wait(size_t state, const std::string& key) const {
  const OracleState& rate = states_[state];
  const int64_t part = (rate.window + rate.limit - 1) / rate.limit;
  int64_t paid_until = now_;
  bool any = false;
  for (const OracleCall& call : calls_) {
    if (call.outcome == OracleOutcome::denied) continue;
    for (const OracleShare& share : call.before) {
      if (share.state != state || share.key != key) continue;
      paid_until = (any ? std::max(paid_until, call.begun_at) : call.begun_at) + part;
      any = true;
    }
  }
  return any ? std::max<int64_t>(0, paid_until - now_ - (rate.burst - 1) * part) : 0;
}

OracleReading HistoryOracle::read(size_t state, const std::string& key, const std::optional<OracleShare>& own) const {
  const OracleState& declared = states_[state];
  OracleReading out;
  if (declared.kind == OracleState::rate) {
    out.wait = wait(state, key);
    out.ok = out.wait == 0;
    return out;
  }
  if (declared.kind == OracleState::budget) {
    out.used = used(state, key) + (own ? own->amount : 0);
    return out;
  }
  for (const Counted& one : counted(state, key)) {
    if (declared.window != 0 && now_ - one.at > declared.window) continue;
    if (!out.seen) out.first = one.at;
    out.seen = true;
    out.last = one.at;
    out.last_place = one.place;
    ++out.count;
    out.sum += one.amount;
  }
  for (const OracleCall& call : calls_) {
    // A call that is denied never runs.
    if (call.outcome != OracleOutcome::running || declared.verb == OracleState::denied) continue;
    for (const OracleShare& share : call.before) {
      if (share.state == state && share.key == key) ++out.running;
    }
  }
  if (!own) return out;
  ++out.running;
  if (declared.verb == OracleState::begun) {
    ++out.count;
    out.sum += own->amount;
  }
  return out;
}

bool HistoryOracle::is_after(size_t state, size_t other, const std::string& key) const {
  const OracleReading mine = read(state, key, std::nullopt), others = read(other, key, std::nullopt);
  return mine.seen && (!others.seen || mine.last_place > others.last_place);
}

void LabelOracle::start(const std::string& session, const std::string& parent) {
  const bool fresh = sessions_.count(session) == 0;
  Session& below = sessions_[session];
  if (parent.empty() || parent == session) return;
  if (fresh) below.parent = parent;
  const Session above = sessions_[parent];
  sessions_[session].labels.insert(above.labels.begin(), above.labels.end());
  sessions_[session].seen.insert(above.seen.begin(), above.seen.end());
}

void LabelOracle::raise(const std::string& session, const std::set<int>& labels, const std::set<uint64_t>& words) {
  if (labels.empty()) return;
  sessions_[session];
  std::set<std::string> reached;
  for (std::string at = session; sessions_.count(at) != 0 && reached.insert(at).second; at = sessions_[at].parent) {
    for (int label : labels) {
      sessions_[at].labels.insert(label);
      for (uint64_t word : words) sessions_[at].seen.emplace(word, label);
    }
  }
}

void LabelOracle::clear(const std::string& session, const std::set<int>& labels) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  for (int label : labels) found->second.labels.erase(label);
  std::erase_if(found->second.seen, [&](const auto& word) { return labels.count(word.second) != 0; });
}

std::set<int> LabelOracle::labels(const std::string& session) const {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? std::set<int>() : found->second.labels;
}

bool LabelOracle::carries(const std::string& session, int label, const std::set<uint64_t>& words) const {
  const auto found = sessions_.find(session);
  if (found == sessions_.end() || words.empty()) return false;
  return std::all_of(words.begin(), words.end(),
                     [&](uint64_t word) { return found->second.seen.count({word, label}) != 0; });
}

size_t LabelOracle::words(const std::string& session) const {
  const auto found = sessions_.find(session);
  std::set<uint64_t> out;
  if (found == sessions_.end()) return 0;
  for (const auto& [word, label] : found->second.seen) out.insert(word);
  return out.size();
}

}  // namespace ordain::test
