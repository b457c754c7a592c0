// state_fuzz makes programs with histories, rates, budgets and a label, and lets calls of several sessions overlap
// under them, with clocks that jump, restarts, reboots and reloads. Every reading, every rule that matches, and every
// verdict must be what the oracle of history says, which keeps everything that happened; the interpreter and native
// code must agree.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <set>

#include "ordain/ordain.h"
#include "runtime/state/key.h"
#include "runtime/state/metering.h"
#include "tests/fuzz/state_programs.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace {

using namespace ordain;
using namespace ordain::fuzz;
using state::Ending;
using state::Verdict;
using test::OracleOutcome;
using test::OracleReading;
using test::OracleShare;
using test::OracleState;

constexpr int kMostSteps = 120;  // of at most 4 seconds each, so that no lease ends
constexpr const char* kWords[] = {"alpha", "bravo", "charlie"};
constexpr const char* kPrincipals[] = {"ann", "bob"};
constexpr const char* kSessions[] = {"s1", "s2", "s3"};

std::string program_text;  // for messages

void demand(bool holds, const std::string& what) {
  if (holds) return;
  fmt::print(stderr, "\n{}\n\n{}\n", what, program_text);
  std::fflush(stderr);
  std::abort();
}

template <typename T>
T must(Result<T> result) {
  demand(result.ok(), result.ok() ? "" : result.error().code + ": " + result.error().message);
  return std::move(*result);
}

std::string key_part(std::string_view text) {
  std::string out;
  demand(state::append_key_part(out, Value::string(text)), "a key that is none");
  return out;
}

/// A version of the policies, for calls that began under it.
struct Version {
  FuzzedSet set;
  std::shared_ptr<const Program> program;
  std::optional<state::Meter> meter;
};

std::vector<OracleState> oracle_states(const std::vector<FuzzedState>& states) {
  std::vector<OracleState> out;
  for (const FuzzedState& state : states) out.push_back(state.oracle);
  return out;
}

/// A call that is decided, and may be running.
struct LiveCall {
  LiveCall(const Version& under, state::Store& store, size_t capability_number, std::string principal_name,
           std::string session_name, std::string who_name, int64_t number)
      : version(under),
        capability(capability_number),
        principal(std::move(principal_name)),
        session(std::move(session_name)),
        who(std::move(who_name)),
        n(number),
        input(document(who, n)),
        before(under.program),
        after(under.program),
        context(under.program),
        metered(*under.meter, store, Id128::random()) {
    context.set("principal.id", Value::string(principal));
    context.set("session.id", Value::string(session));
    context.set("tenant.id", Value::string("acme"));
    const std::string name = "c" + std::to_string(capability);
    before.begin(under.program->resolve(name), Stage::before);  // each is declared

    before.bind_input(input.root());
  }

  static Document document(const std::string& who, int64_t n) {
    return must(Document::parse(fmt::format(R"({{"who": "{}", "n": {}}})", who, n)));
  }

  void bind_after(const std::string& out_who, int64_t out_n) {
    output = document(out_who, out_n);
    after.begin(before.capability(), Stage::after);
    after.bind_input(input.root());
    after.bind_output(output.root());
  }

  /// The key of a state, with `text` for its path.
  std::string key(const FuzzedState& of, const std::string& text) const {
    std::string out;
    for (IdentityPart part : of.identities) {
      out += key_part(part == IdentityPart::principal ? principal : part == IdentityPart::session ? session : "acme");
    }
    return of.path == PathPart::none ? out : out + key_part(text);
  }

  /// What it has to do with each state before it runs. A done call counts by its output, so until then it only runs.
  std::vector<OracleShare> shares() const {
    std::vector<OracleShare> out;
    for (size_t i = 0; i < version.set.states.size(); ++i) {
      const FuzzedState& of = version.set.states[i];
      if (!of.targets[capability] || of.path == PathPart::output) continue;
      if (!of.is_done() && n <= of.more_than) continue;
      const bool amounts = of.oracle.kind == OracleState::budget || (of.sums && !of.is_done());
      out.push_back({i, key(of, who), amounts ? n : 0});
    }
    return out;
  }

  std::vector<OracleShare> done_shares(const std::string& out_who, int64_t out_n) const {
    std::vector<OracleShare> out;
    for (size_t i = 0; i < version.set.states.size(); ++i) {
      const FuzzedState& of = version.set.states[i];
      if (!of.is_done() || !of.targets[capability] || out_n <= of.more_than) continue;
      out.push_back({i, key(of, of.path == PathPart::output ? out_who : who), of.sums ? out_n : 0});
    }
    return out;
  }

  state::CallFacts before_facts() { return {before, context, scratch, session}; }
  state::CallFacts after_facts() { return {after, context, scratch, session}; }

  const Version& version;
  size_t capability;
  std::string principal, session, who;
  int64_t n;
  Document input, output;
  Call before, after;
  Context context;
  Scratch scratch{1 << 18, false};
  state::MeteredCall metered;
  size_t number = 0;  ///< at the oracle
};

class Trace {
 public:
  Trace(const uint8_t* data, size_t size) : draws_(data, size) {
    set_.labels = draws_.one_in(3);
    native_ = draws_.one_in(8);
    set_.states = draw_states(draws_);
    oracle_.emplace(oracle_states(set_.states));
    oracle_->set_wall(clock_.wall_ns);
    store_ = open_store();
    reload();
  }

  void run() {
    for (int i = 0; i < kMostSteps && !draws_.done(); ++i) step();
  }

 private:
  std::unique_ptr<state::Store> open_store() {
    state::StoreOptions options;
    options.clock = [this] { return clock_; };
    options.observe = [this](std::string_view op) { ops_.emplace_back(op); };
    return must(state::Store::make_local(std::move(options), base_));
  }

  void step() {
    switch (draws_.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return begin();
      case 5:
      case 6:
      case 7:
        return finish();
      case 8:
        return pass(draws_.one_in(2) ? draws_.nanoseconds() : int64_t{draws_.below(4)} * kOneSecond);
      case 9:
        return draws_.one_in(2) ? start_session() : set_wall();
      case 10:
        return draws_.one_in(3) ? reload() : begin();
      default:
        return draws_.one_in(3) ? restart() : finish();
    }
  }

  void pass(int64_t ns) {
    clock_.boot_ns += ns;
    clock_.wall_ns += ns;
    oracle_->pass(ns);
  }

  /// Somebody sets the wall clock, by up to some hours.
  void set_wall() {
    clock_.wall_ns += (int64_t{draws_.below(7)} - 3) * 2000 * kOneSecond;
    oracle_->set_wall(clock_.wall_ns);
  }

  /// Thresholds and rules change; what is kept stays.
  void reload() {
    set_.rules = draw_rules(draws_, set_.states, set_.labels);
    Version& version = versions_.emplace_back();
    version.set = set_;
    program_text = write_policies(set_);
    auto compilation = compile({std::make_shared<Source>(Source{"fuzz.policy", program_text})}, standard_library());
    demand(compilation.program != nullptr, render(compilation.diagnostics));
    version.program = compilation.program;
#ifdef ORDAIN_HAS_JIT
    if (native_) (void)must(compile_native(*version.program));
#endif
    version.meter.emplace(must(state::Meter::make(version.program, *store_)));
  }

  /// The process ends, and with it the calls that run: they stay open for good. The state comes back from a snapshot,
  /// or from the last snapshot and the ops since. Sometimes the machine was rebooted meanwhile.
  void restart() {
    live_.clear();
    const bool reboots = draws_.one_in(3);
    if (draws_.one_in(2)) {
      base_ = must(store_->save());
      ops_.clear();
      store_ = open_store();
    } else {
      store_ = open_store();
      const std::vector<std::string> ops = ops_;
      const auto replayed = store_->replay(ops);
      demand(replayed.ok(), "its own ops cannot be replayed");
    }
    if (reboots) {
      // Ages go on with the wall clock from the last turn.
      (void)must(store_->read({}));
      const int64_t down = int64_t{draws_.below(3)} * kOneSecond;
      ++clock_.boot[0];
      clock_.boot_ns = kOneSecond;
      clock_.wall_ns += down;
      oracle_->pass(down);
    }
    for (Version& version : versions_) version.meter.emplace(must(state::Meter::make(version.program, *store_)));
  }

  void start_session() {
    if (!set_.labels) return;
    const char* const child = kSessions[2];
    const char* const parent = kSessions[draws_.below(2)];
    demand(store_->start_session(child, parent).ok(), "a session cannot begin");
    labels_.start(child, parent);
  }

  void begin() {
    const Version& version = versions_.back();
    const size_t capability = draws_.below(kCapabilities);
    const char* const principal = kPrincipals[draws_.below(2)];
    const char* const session = kSessions[draws_.below(3)];
    const char* const who = kWords[draws_.below(3)];
    const int64_t n = draws_.below(7);
    auto call = std::make_unique<LiveCall>(version, *store_, capability, principal, session, who, n);
    const bool waits = draws_.one_in(8);
    call->before.set_now(clock_.wall_ns / kOneSecond, static_cast<int32_t>(clock_.wall_ns % kOneSecond));
    bool denies = false;
    const Verdict verdict = must(call->metered.start(call->before_facts(), [&] {
      denies = decide_call(*call);
      return denies ? Verdict::deny : waits ? Verdict::leave : Verdict::proceed;
    }));
    compare_notes(*call);
    if (verdict == Verdict::deny) oracle_->deny(call->shares());
    if (verdict != Verdict::proceed) return;
    call->number = oracle_->begin(call->shares(), capability == 2);
    live_.push_back(std::move(call));
  }

  /// @returns whether the rules deny; all evaluators must say so, and match the same rules
  bool decide_call(LiveCall& call) {
    const std::set<std::string> should = matching_rules(call);
    DecideOptions interpreted;
    interpreted.interpret_only = true;
    bool denies = false;
    for (const DecideOptions& options : {DecideOptions(), interpreted}) {
      const Decision all = decide_all(call.before, call.context, deciding_, options);
      demand(all.fault.code == FaultCode::none, "a rule faults");
      std::set<std::string> is;
      for (RuleId rule : all.matched) {
        const std::string& name = call.version.program->rules()[rule].name;
        const std::string last = name.substr(name.rfind('.') + 1);
        if (last.size() > 1 && last[0] == 'r' && last != "rest") is.insert(last);
      }
      demand(is == should, fmt::format("other rules match: {} instead of {}", join(is), join(should)));
      denies = std::any_of(should.begin(), should.end(), [&](const std::string& name) {
        return call.version.set.rules[std::stoul(name.substr(1))].denies;
      });
      const Decision one = decide(call.before, call.context, deciding_, options);
      demand((one.effect == Effect::deny) == denies, "another verdict");
    }
    return denies;
  }

  static std::string join(const std::set<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += name + " ";
    return out;
  }

  std::set<std::string> matching_rules(const LiveCall& call) const {
    std::set<std::string> out;
    const std::vector<OracleShare> shares = call.shares();
    const auto& rules = call.version.set.rules;
    for (size_t i = 0; i < rules.size(); ++i) {
      if (matches(rules[i], call, shares)) out.insert("r" + std::to_string(i));
    }
    return out;
  }

  static std::string read_key(const FuzzedRule& rule, const LiveCall& call) {
    return call.key(call.version.set.states[rule.state], rule.key == ReadKey::literal ? kLiteral : call.who);
  }

  /// The reading with what the call itself adds.
  OracleReading read_oracle(size_t state, const std::string& key, const std::vector<OracleShare>& shares) const {
    const bool denials = set_.states[state].is_history() && set_.states[state].oracle.verb == OracleState::denied;
    const auto own = std::find_if(shares.begin(), shares.end(), [&](const OracleShare& share) {
      return share.state == state && share.key == key && !denials;
    });
    return oracle_->read(state, key, own == shares.end() ? std::nullopt : std::optional(*own));
  }

  bool matches(const FuzzedRule& rule, const LiveCall& call, const std::vector<OracleShare>& shares) const {
    if (rule.asked == Asked::labelled) return labels_.labels(call.session).contains(0);
    if (rule.asked == Asked::carries) return labels_.carries(call.session, 0, {word_number(call.who)});
    const std::string key = read_key(rule, call);
    if (rule.asked == Asked::after) return oracle_->is_after(rule.state, rule.other, key);
    const OracleReading is = read_oracle(rule.state, key, shares);
    const auto threshold = static_cast<uint64_t>(rule.threshold);
    switch (rule.asked) {
      case Asked::seen:
        return is.seen;
      case Asked::unseen:
        return !is.seen;
      case Asked::count:
        return is.count > threshold;
      case Asked::running:
        return is.running > threshold;
      case Asked::sum:
        return is.sum > rule.threshold;
      case Asked::old:
        return is.seen && oracle_->now() - *is.last > rule.threshold * kOneSecond;
      case Asked::first:
        return is.seen && oracle_->now() - *is.first > rule.threshold * kOneSecond;
      case Asked::blocked:
        return !is.ok;
      case Asked::wait:
        return is.wait > rule.threshold * kOneSecond;
      case Asked::over:
        return is.used > call.version.set.states[rule.state].amount;
      default:
        return is.used > rule.threshold;
    }
  }

  static uint64_t word_number(const std::string& word) {
    return static_cast<uint64_t>(std::find(std::begin(kWords), std::end(kWords), word) - std::begin(kWords));
  }

  /// Compares what the call read with the oracle, which has not been told of the call yet.
  void compare_notes(const LiveCall& call) const {
    const std::vector<OracleShare> shares = call.shares();
    const auto& declared = call.version.meter->tables().states;
    for (const state::StateNote& note : call.metered.notes()) {
      const size_t number = std::stoul(declared[note.state].name.substr(1));
      const FuzzedState& of = set_.states[number];
      const OracleReading should = read_oracle(number, note.key, shares);
      const state::Reading& is = note.reading;
      const std::string where = declared[note.state].name + " of " + state::describe_key(note.key);
      demand(is.ok == should.ok && is.wait_ns == should.wait, "another rate: " + where);
      demand(is.used == should.used, "another use: " + where);
      if (!of.is_history()) continue;
      demand(is.seen == should.seen, "seen differs: " + where);
      demand(is.count == should.count, fmt::format("count {} instead of {}: {}", is.count, should.count, where));
      demand(is.running == should.running,
             fmt::format("running {} instead of {}: {}", is.running, should.running, where));
      demand(!of.sums || is.sum == should.sum, "another sum: " + where);
      const int64_t now = call.metered.moment().time;
      demand(!is.seen || now - is.last == oracle_->now() - *should.last, "another last: " + where);
      demand(!is.seen || now - is.first == oracle_->now() - *should.first, "another first: " + where);
    }
    if (set_.labels) {
      demand((call.metered.labels() != 0) == labels_.labels(call.session).contains(0), "other labels");
    }
  }

  /// What each of a call's budgets is charged, where its outcome says so.
  static std::map<size_t, test::OracleAmount> charges(const LiveCall& call, int64_t out_n) {
    std::map<size_t, test::OracleAmount> out;
    const std::vector<OracleShare> shares = call.shares();
    for (size_t i = 0; i < shares.size(); ++i) {
      if (call.version.set.states[shares[i].state].settles) out[i] = out_n;
    }
    return out;
  }

  void finish() {
    if (live_.empty()) return;
    const size_t at = draws_.below(static_cast<uint32_t>(live_.size()));
    const std::unique_ptr<LiveCall> call = std::move(live_[at]);
    live_.erase(live_.begin() + static_cast<ptrdiff_t>(at));
    const std::string who = kWords[draws_.below(3)];
    const int64_t n = draws_.below(9);
    call->bind_after(who, n);
    const state::CallFacts after = call->after_facts();
    switch (draws_.below(4)) {
      case 2:
        demand(call->metered.end(Ending::failed, nullptr).ok(), "a call cannot fail");
        return oracle_->end(call->number, OracleOutcome::failed, {}, {});
      case 3:
        demand(call->metered.end(Ending::executed, &after).ok(), "an output cannot be withheld");
        return oracle_->end(call->number, OracleOutcome::withheld, {}, charges(*call, n));
      default:
        break;
    }
    demand(call->metered.read_after(after).ok(), "the state cannot be read after a call");
    state::Released released;
    released.output = &call->output.root();
    demand(call->metered.release(after, released).ok(), "an output cannot be released");
    oracle_->end(call->number, OracleOutcome::released, call->done_shares(who, n), charges(*call, n));
    if (set_.labels && call->capability == 1) labels_.raise(call->session, {0}, {word_number(who)});
  }

  Draws draws_;
  state::ClockReading clock_{{1}, 100 * kOneSecond, 1'767'268'800 * kOneSecond};
  FuzzedSet set_;
  bool native_ = false;
  std::optional<test::HistoryOracle> oracle_;
  test::LabelOracle labels_;
  std::string base_;              // the snapshot from which the state came
  std::vector<std::string> ops_;  // since then
  std::unique_ptr<state::Store> store_;
  std::deque<Version> versions_;
  Scratch deciding_{1 << 20, false};
  std::deque<std::unique_ptr<LiveCall>> live_;  // their state, program and meter are above
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Trace trace(data, size);
  trace.run();
  return 0;
}
