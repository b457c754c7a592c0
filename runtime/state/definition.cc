// definition.cc derives definitions from declarations, and encodes them.
#include "runtime/state/definition.h"

#include <algorithm>
#include <limits>

#include "runtime/audit/value_bytes.h"
#include "runtime/identity/text.h"
#include "runtime/state/key.h"

namespace ordain::state {
namespace {

constexpr int64_t kLongest = std::numeric_limits<int64_t>::max() / 4;
constexpr size_t kMaxNameBytes = 4096;
constexpr uint8_t kKeepsStamps = 1, kKeepsAll = 2, kSums = 4, kNegative = 8, kAllFlags = 15;

bool reads(const StateDecl& declared, StateMember member) {
  return (declared.members & (1u << static_cast<unsigned>(member))) != 0;
}

int64_t window_of(const StateDecl& declared) {
  const Amount window = static_cast<Amount>(declared.window_seconds) * 1'000'000'000 + declared.window_nanos;
  return static_cast<int64_t>(std::min<Amount>(window, kLongest));
}

void define_rate(const StateDecl& declared, int64_t period_ns, Definition* out) {
  const Amount calls = std::max<uint64_t>(1, declared.limit);
  // Rounded up, so that no rounding lets more calls through.
  const Amount interval = std::max<Amount>(1, (static_cast<Amount>(period_ns) + calls - 1) / calls);
  const Amount ahead = (static_cast<Amount>(std::max<uint64_t>(1, declared.burst)) - 1) * interval;
  out->interval_ns = static_cast<int64_t>(interval);
  out->tolerance_ns = static_cast<int64_t>(std::min<Amount>(ahead, kLongest));
}

uint8_t flags_of(const Definition& definition) {
  return static_cast<uint8_t>((definition.keeps_stamps ? kKeepsStamps : 0) | (definition.keeps_all ? kKeepsAll : 0) |
                              (definition.sums ? kSums : 0) | (definition.negative ? kNegative : 0));
}

bool take_byte(std::string_view& in, uint8_t last, uint8_t* out) {
  if (in.empty()) return false;
  *out = static_cast<uint8_t>(in.front());
  in.remove_prefix(1);
  return *out <= last;
}

bool take_time_span(std::string_view& in, int64_t* out) {
  uint64_t raw = 0;
  if (!detail::take_u64(in, &raw)) return false;
  *out = static_cast<int64_t>(raw);
  return *out >= 0 && *out <= kLongest;
}

bool take_keys(std::string_view& in, std::vector<KeySource>* out) {
  uint8_t count = 0;
  if (!take_byte(in, kMaxKeyParts, &count)) return false;
  out->resize(count);
  for (KeySource& source : *out) {
    uint8_t raw = 0;
    if (!take_byte(in, static_cast<uint8_t>(KeySource::path), &raw)) return false;
    source = static_cast<KeySource>(raw);
  }
  return true;
}

bool take_name(std::string_view& in, std::string* out) {
  std::string_view name;
  if (!detail::take_sized(in, &name) || name.size() > kMaxNameBytes || !detail::text_problem(name).empty())
    return false;
  *out = name;
  return true;
}

/// @returns true if the parts of a definition that were read fit together
bool consistent(const Definition& definition) {
  const bool history = definition.kind == StateKind::history, rate = definition.kind == StateKind::rate;
  if (definition.keeps_all && !definition.keeps_stamps) return false;
  if (definition.keeps_stamps && (!history || definition.window_ns == 0)) return false;
  if (rate != (definition.interval_ns > 0)) return false;
  return history || definition.verb == StateVerb::begun;
}

}  // namespace

Definition define_state(const StateDecl& declared) {
  Definition out;
  out.name = declared.name;
  out.digest = declared.digest;
  out.kind = declared.kind;
  out.verb = declared.kind == StateKind::history ? declared.verb : StateVerb::begun;
  out.keys = declared.keys;
  out.sums = declared.kind == StateKind::history && declared.amount != Kind::absent;
  out.negative = declared.negative;
  if (declared.kind == StateKind::history) {
    out.window_ns = window_of(declared);
    const bool all = reads(declared, StateMember::sum) || reads(declared, StateMember::first);
    out.keeps_all = out.window_ns != 0 && all;
    out.keeps_stamps = out.window_ns != 0 && (all || reads(declared, StateMember::count));
    out.bound = declared.bound;
  }
  if (declared.kind == StateKind::rate) define_rate(declared, window_of(declared), &out);
  if (declared.kind == StateKind::budget) {
    out.period = declared.period;
    out.zone = declared.zone;
  }
  return out;
}

bool compatible(const Definition& a, const Definition& b) {
  return a.kind == b.kind && a.verb == b.verb && a.keys == b.keys && a.window_ns == b.window_ns && a.sums == b.sums &&
         a.negative == b.negative && a.period == b.period && a.zone == b.zone;
}

Definition join_definitions(const Definition& older, const Definition& newer) {
  Definition out = newer;
  out.keeps_stamps = older.keeps_stamps || newer.keeps_stamps;
  out.keeps_all = older.keeps_all || newer.keeps_all;
  out.bound = std::max(older.bound, newer.bound);
  return out;
}

void append_definition(std::string& out, const Definition& definition) {
  detail::append_sized(out, definition.name);
  out.append(reinterpret_cast<const char*>(definition.digest.data()), definition.digest.size());
  out.push_back(static_cast<char>(definition.kind));
  out.push_back(static_cast<char>(definition.verb));
  out.push_back(static_cast<char>(definition.keys.size()));
  for (KeySource source : definition.keys) out.push_back(static_cast<char>(source));
  detail::append_u64(out, static_cast<uint64_t>(definition.window_ns));
  out.push_back(static_cast<char>(flags_of(definition)));
  detail::append_u64(out, definition.bound);
  detail::append_u64(out, static_cast<uint64_t>(definition.interval_ns));
  detail::append_u64(out, static_cast<uint64_t>(definition.tolerance_ns));
  out.push_back(static_cast<char>(definition.period));
  detail::append_sized(out, definition.zone);
}

bool take_definition(std::string_view& in, Definition* out) {
  std::string_view digest, zone;
  uint8_t kind = 0, verb = 0, flags = 0, period = 0;
  const bool read = take_name(in, &out->name) && detail::take_bytes(in, out->digest.size(), &digest) &&
                    take_byte(in, static_cast<uint8_t>(StateKind::budget), &kind) &&
                    take_byte(in, static_cast<uint8_t>(StateVerb::denied), &verb) && take_keys(in, &out->keys) &&
                    take_time_span(in, &out->window_ns) && take_byte(in, kAllFlags, &flags) &&
                    detail::take_u64(in, &out->bound) && take_time_span(in, &out->interval_ns) &&
                    take_time_span(in, &out->tolerance_ns) &&
                    take_byte(in, static_cast<uint8_t>(BudgetPeriod::month), &period) &&
                    detail::take_sized(in, &zone) && zone.size() <= kMaxNameBytes && detail::text_problem(zone).empty();
  if (!read) return false;
  digest.copy(reinterpret_cast<char*>(out->digest.data()), digest.size());
  out->kind = static_cast<StateKind>(kind);
  out->verb = static_cast<StateVerb>(verb);
  out->keeps_stamps = (flags & kKeepsStamps) != 0;
  out->keeps_all = (flags & kKeepsAll) != 0;
  out->sums = (flags & kSums) != 0;
  out->negative = (flags & kNegative) != 0;
  out->period = static_cast<BudgetPeriod>(period);
  out->zone = zone;
  return consistent(*out);
}

}  // namespace ordain::state
