// state_reads.cc compares reads of the state member by member.
#include "analysis/state_reads.h"

#include <fmt/format.h>

#include <cmath>

#include "ordain/arena.h"
#include "ordain/json.h"
#include "ordain/time_text.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/state/state_record.h"

namespace ordain::detail {
namespace {

constexpr double kClockSlack = 1;  ///< seconds between the time of a record and that of its turn

const Value* member_in(const Value& map, std::string_view name) {
  return map.is(Kind::map) ? map_find(*map.map, name) : nullptr;
}

std::span<const Value> list_in(const Value& map, std::string_view name) {
  const Value* list = member_in(map, name);
  return list != nullptr && list->is(Kind::list) ? list->as_list() : std::span<const Value>();
}

std::string_view text_in(const Value& map, std::string_view name) {
  const Value* text = member_in(map, name);
  return text != nullptr && text->is(Kind::string) ? text->as_text() : std::string_view();
}

std::string shown_member(const Value* value) { return value == nullptr ? "absent" : to_json(*value); }

bool same_time(const Value& a, const Value& b) {
  TimeParts x, y;
  if (!a.is(Kind::string) || !b.is(Kind::string)) return false;
  if (!parse_timestamp(a.as_text(), &x) || !parse_timestamp(b.as_text(), &y)) return false;
  const double apart = static_cast<double>(x.seconds - y.seconds) + static_cast<double>(x.nanos - y.nanos) / 1e9;
  return std::abs(apart) <= kClockSlack;
}

bool same_member(std::string_view name, const Value* a, const Value* b) {
  if (a == nullptr || b == nullptr) return a == b;
  if (name == "last") return same_time(*a, *b);
  if (name == "wait" && a->is(Kind::floating) && b->is(Kind::floating)) return std::abs(a->d - b->d) <= kClockSlack;
  return equal(*a, *b);
}

/// Members that only one side has differ too.
std::string_view differing_member(const Value& recorded, const Value& folded) {
  const auto is_member = [](const MapEntry& entry) {
    return entry.key.is(Kind::string) && entry.key.as_text() != "state" && entry.key.as_text() != "key";
  };
  for (const Value* side : {&recorded, &folded}) {
    for (const MapEntry& entry : side->map->all()) {
      if (!is_member(entry)) continue;
      const std::string_view name = entry.key.as_text();
      if (!same_member(name, member_in(recorded, name), member_in(folded, name))) return name;
    }
  }
  return {};
}

StateDifference compare_read(const Value& recorded, const Value& folded) {
  StateDifference out;
  const std::string_view state = text_in(folded, "state"), key = text_in(folded, "key");
  const std::string_view recorded_key = text_in(recorded, "key");
  const bool hidden = recorded_key.starts_with("secret:");
  out.state = state;
  if (!recorded.is(Kind::map) || text_in(recorded, "state") != state || (!hidden && recorded_key != key)) {
    out.member = "key";
    out.why = fmt::format("the record read {} for {} where its call reads {} for {}", text_in(recorded, "state"),
                          recorded_key, state, key);
    return out;
  }
  const std::string_view member = differing_member(recorded, folded);
  if (member.empty()) return out;
  out.member = member;
  out.why = fmt::format("{} for {}: its {} is {} in the record, and {} by the records before it", state, recorded_key,
                        member, shown_member(member_in(recorded, member)), shown_member(member_in(folded, member)));
  return out;
}

Value labels_of(const Value& state, Arena& arena) {
  const std::span<const Value> labels = list_in(state, "labels");
  return Value::list(arena.copy(labels));
}

}  // namespace

StateDifference compare_state(std::string_view recorded, const state::Meter& meter, const state::MeteredCall& call,
                              const StateDoubts& doubts, const std::string& session, int64_t now_ns,
                              uint64_t* compared) {
  Arena arena;
  Value was;
  if (recorded.empty() || !take_value(recorded, arena, &was) || !was.is(Kind::map)) return {};
  const Value is = describe_state(arena, meter, call, nullptr);
  const std::span<const Value> old_reads = list_in(was, "reads"), new_reads = list_in(is, "reads");
  const auto notes = call.notes();
  if (old_reads.size() != new_reads.size()) {
    return {"", "reads",
            fmt::format("the record has {} reads where its call makes {}", old_reads.size(), new_reads.size())};
  }
  for (size_t i = 0; i < new_reads.size(); ++i) {
    if (doubts.has(notes[i].state, notes[i].key, now_ns)) continue;
    ++*compared;
    StateDifference found = compare_read(old_reads[i], new_reads[i]);
    if (found.any()) return found;
  }
  const Value old_labels = labels_of(was, arena), new_labels = labels_of(is, arena);
  if (doubts.has_labels(session) || equal(old_labels, new_labels)) return {};
  return {"", "labels",
          fmt::format("the labels of the session are {} in the record, and {} by the records before it",
                      to_json(old_labels), to_json(new_labels))};
}

uint64_t sequence_in_state(std::string_view recorded) {
  Arena arena;
  Value state;
  if (recorded.empty() || !take_value(recorded, arena, &state)) return 0;
  const Value* sequence = member_in(state, "sequence");
  return sequence != nullptr && sequence->is(Kind::integer) && sequence->i > 0 ? static_cast<uint64_t>(sequence->i) : 0;
}

}  // namespace ordain::detail
