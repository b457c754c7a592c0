// state_record.cc turns the notes of a metered call into a value.
#include "runtime/state/state_record.h"

#include <string>
#include <vector>

#include "ordain/digest.h"
#include "ordain/time_text.h"
#include "runtime/state/key.h"

namespace ordain::detail {
namespace {

class StateWriter {
 public:
  StateWriter(Arena& arena, const state::Meter& meter, const DigestKey* hide)
      : arena_(arena), meter_(meter), hide_(hide) {}

  Value describe(const state::MeteredCall& call) {
    Entries out;
    if (call.sequence() != 0) out.add("sequence", Value::integer(static_cast<int64_t>(call.sequence())));
    std::vector<Value> reads;
    for (const state::StateNote& note : call.notes()) reads.push_back(read(note, call.moment()));
    out.add_list("reads", arena_, reads);
    out.add_list("labels", arena_, names(call.labels()));
    out.add_list("raised", arena_, names(call.label_changes().raised));
    out.add_list("cleared", arena_, names(call.label_changes().cleared));
    return out.all.empty() ? Value::null() : out.map(arena_);
  }

 private:
  struct Entries {
    std::vector<MapEntry> all;
    void add(std::string_view name, const Value& value) { all.push_back({Value::string(name), value}); }
    void add_list(std::string_view name, Arena& arena, const std::vector<Value>& items) {
      if (!items.empty()) add(name, Value::list(arena.copy(items)));
    }
    Value map(Arena& arena) const { return Value::map_of(make_map(arena, arena.copy(all))); }
  };

  Value text(const std::string& text) { return Value::string(arena_.copy(text)); }

  std::string key_text(const std::string& key) const {
    return hide_ != nullptr ? "secret:" + to_hex(hide_->digest(key)).substr(0, 16) : state::describe_key(key);
  }

  Value read(const state::StateNote& note, const state::Moment& now) {
    const StateDecl& declared = meter_.tables().states[note.state];
    const state::Reading& reading = note.reading;
    Entries out;
    out.add("state", Value::string(declared.name));
    out.add("key", text(key_text(note.key)));
    switch (declared.kind) {
      case StateKind::history:
        out.add("seen", Value::boolean(reading.seen));
        out.add("count", Value::integer(static_cast<int64_t>(reading.count)));
        out.add("running", Value::integer(static_cast<int64_t>(reading.running)));
        if (declared.amount != Kind::absent) out.add("sum", amount(reading.sum, declared));
        if (reading.seen) out.add("last", text(format_time(state::wall_time(reading.last, now))));
        break;
      case StateKind::rate:
        out.add("ok", Value::boolean(reading.ok));
        out.add("wait", Value::floating(static_cast<double>(reading.wait_ns) / 1e9));
        break;
      case StateKind::budget:
        out.add("used", amount(reading.used, declared));
        break;
    }
    return out.map(arena_);
  }

  /// Records have no durations: they are in seconds.
  static Value amount(state::Amount amount, const StateDecl& declared) {
    if (declared.amount == Kind::duration) return Value::floating(static_cast<double>(amount) / 1e9);
    return state::amount_value(amount, declared.amount);
  }

  std::vector<Value> names(state::LabelSet labels) const {
    std::vector<Value> out;
    const std::vector<std::string>& all = meter_.tables().labels;
    for (size_t i = 0; i < all.size(); ++i) {
      if ((labels >> i & 1u) != 0) out.push_back(Value::string(all[i]));
    }
    return out;
  }

  Arena& arena_;
  const state::Meter& meter_;
  const DigestKey* hide_;
};

}  // namespace

Value describe_state(Arena& arena, const state::Meter& meter, const state::MeteredCall& call, const DigestKey* hide) {
  return StateWriter(arena, meter, hide).describe(call);
}

}  // namespace ordain::detail
