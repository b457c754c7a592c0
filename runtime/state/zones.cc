// zones.cc computes a zone's offset from the parts of a timestamp in that zone.
#include "runtime/state/zones.h"

#include <map>
#include <memory>
#include <string>

#include "ordain/eval.h"
#include "ordain/time_text.h"
#include "vm/program/linked_program.h"

namespace ordain::state {
namespace {

/// `timestamp.name(zone)`, and the zones that it was asked about.
struct ZonePart {
  const Overload* overload = nullptr;
  std::map<std::string, std::shared_ptr<const void>, std::less<>> zones;

  explicit ZonePart(const FunctionTable& functions, std::string_view name) {
    const Function* function = functions.find(name);
    if (function == nullptr) return;
    for (const Overload* one : function->overloads) {
      if (one->preparation.prepare != nullptr) overload = one;
    }
  }

  std::optional<int64_t> read(std::string_view zone, int64_t utc_seconds) {
    if (overload == nullptr) return std::nullopt;
    auto known = zones.find(zone);
    if (known == zones.end()) {
      std::string why;
      known = zones.emplace(zone, overload->preparation.prepare(Value::string(zone), &why)).first;
    }
    if (known->second == nullptr) return std::nullopt;
    Arena arena(256);
    Eval eval;
    eval.arena = &arena;
    eval.cost_left = eval.memory_left = 1'000'000;
    const Value args[] = {Value::timestamp(utc_seconds, 0), Value::string(zone)};
    Value out;
    if (!overload->preparation.call(eval, known->second.get(), args, &out) || !out.is(Kind::integer))
      return std::nullopt;
    return out.i;
  }
};

struct ZoneParts {
  ZonePart year, month, day, hours, minutes, seconds;
};

}  // namespace

ZoneOffset zones_of(const FunctionTable& functions) {
  const auto part = [&](const char* name) { return ZonePart(functions, name); };
  auto parts = std::make_shared<ZoneParts>(ZoneParts{part("getFullYear"), part("getMonth"), part("getDate"),
                                                     part("getHours"), part("getMinutes"), part("getSeconds")});
  return [parts](std::string_view zone, int64_t utc) -> std::optional<int32_t> {
    const auto year = parts->year.read(zone, utc), month = parts->month.read(zone, utc),
               day = parts->day.read(zone, utc), hours = parts->hours.read(zone, utc),
               minutes = parts->minutes.read(zone, utc), seconds = parts->seconds.read(zone, utc);
    if (!year || !month || !day || !hours || !minutes || !seconds) return std::nullopt;
    const CivilDay date{static_cast<int32_t>(*year), static_cast<uint32_t>(*month + 1), static_cast<uint32_t>(*day)};
    const int64_t local = days_from_civil(date) * 86400 + *hours * 3600 + *minutes * 60 + *seconds;
    return static_cast<int32_t>(local - utc);
  };
}

ZoneOffset zones_of(const Program& program) {
  const FunctionTable* table = vm::link_tables(program).table;
  return table != nullptr ? zones_of(*table) : ZoneOffset();
}

}  // namespace ordain::state
