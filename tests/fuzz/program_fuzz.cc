// program_fuzz checks that any bytes are safe to load, that every program that loads is safe to run
// on any facts, and that native code then answers as the interpreter does.
//
// libFuzzer, and `replay --edited`, change programs by tables rather than by bytes (program_edits.h).
// ORDAIN_FUZZ_NATIVE=N: every Nth program is compiled to native code (default 64; 0: none).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>

#include "ordain/decide.h"
#include "ordain/disasm.h"
#include "ordain/stdlib.h"
#include "tests/conformance/case.h"
#include "tests/fuzz/program_edits.h"
#include "tests/support/oracle.h"
#include "vm/program/linked_program.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

using namespace ordain;
using Random = std::mt19937_64;

constexpr size_t kPredicates = 64;   // evaluated of each program
constexpr size_t kCapabilities = 8;  // whose calls are decided
constexpr size_t kShown = 1 << 16;   // bytes of a value's text that are compared
constexpr Budget kSmall{.cost = 10'000, .memory = 64 << 10};

// Facts of every kind, made for the types that a program declares.
class Facts {
 public:
  Facts(const Program& program, uint64_t seed) : data_(data_of(program)), random_(seed) {}

  Value value(const Type& type, int depth = 0) {
    if (depth > 4) return Value::null();
    switch (type.kind) {
      case TypeKind::boolean:
        return Value::boolean(random_() % 2 == 0);
      case TypeKind::integer:
        return Value::integer(static_cast<int64_t>(number()));
      case TypeKind::unsigned_integer:
        return Value::unsigned_integer(number());
      case TypeKind::floating:
        return Value::floating(random_() % 4 == 0 ? 0.5 : static_cast<double>(static_cast<int64_t>(number())));
      case TypeKind::string:
        return text();
      case TypeKind::bytes:
        return Value::bytes(text().as_text());
      case TypeKind::timestamp:
        return Value::timestamp(static_cast<int64_t>(random_() % 4'000'000'000), 7);
      case TypeKind::duration:
        return Value::duration(static_cast<int64_t>(random_() % 100), 7);
      case TypeKind::list:
        return list(*type.params[0], depth);
      case TypeKind::map:
        return map(type, depth);
      case TypeKind::record:
        return record(*type.record, depth);
      case TypeKind::optional:
        return Value::optional(random_() % 2 == 0 ? nullptr : arena_.make<Value>(value(*type.params[0], depth + 1)));
      case TypeKind::dyn: {
        static const Type* const kTypes[] = {&types::kBool,   &types::kInt,     &types::kDouble,    &types::kString,
                                             &types::kString, &types::kListDyn, &types::kListString};
        return value(*kTypes[random_() % std::size(kTypes)], depth + 1);
      }
      default:
        return Value::null();
    }
  }

  bool some() { return random_() % 4 != 0; }

  // Sets most slots of the call's bank, or, now and then, whole records.
  void fill(Call& call, Context& context) {
    const std::vector<Slot>& slots = data_.schema.slots;
    for (SlotId slot = 0; slot < slots.size(); ++slot) {
      if (!some()) continue;
      if (slots[slot].bank == Bank::context) {
        context.set(slots[slot].path, value(*slots[slot].type));
      } else if (!call.error().failed) {
        call.set(call.program().slot(slot), value(*slots[slot].type));
      }
    }
    if (some()) return;
    for (const auto& [root, number] : data_.schema.roots) {
      const Type type{TypeKind::record, {}, {}, data_.schema.records[number].type};
      const Value whole = type.record == nullptr ? value(types::kMapDyn) : value(type);
      random_() % 2 == 0 ? call.bind_root(root, whole) : void(context.set_root(root, whole));
    }
    const CapabilityId id = call.capability().id;
    const uint32_t input = id == kNone ? data_.schema.undeclared_input : data_.schema.capabilities[id].input;
    if (input == kNone || data_.schema.records[input].type == nullptr) return;
    call.bind_input(value({TypeKind::record, {}, {}, data_.schema.records[input].type}));
  }

 private:
  uint64_t number() {
    static constexpr uint64_t kNumbers[] = {0, 1, 2, 3, 7, 100, UINT64_MAX, INT64_MAX, uint64_t{1} << 63};
    return random_() % 8 == 0 ? random_() : kNumbers[random_() % std::size(kNumbers)];
  }
  // Often a text that the program compares with.
  Value text() {
    if (!data_.symbols.empty() && random_() % 2 == 0)
      return Value::string(data_.symbols[random_() % data_.symbols.size()]);
    static constexpr std::string_view kTexts[] = {"",        "a", "admin", "rm -rf /tmp/x", "2024-01-01T00:00:00Z",
                                                  "10.0.0.1"};
    return Value::string(kTexts[random_() % std::size(kTexts)]);
  }
  Value list(const Type& element, int depth) {
    std::vector<Value> out(random_() % 4);
    for (Value& each : out) each = value(element, depth + 1);
    return Value::list(arena_.copy(out));
  }
  Value map_of(const std::vector<MapEntry>& entries) {
    const MapRep* rep = make_map(arena_, arena_.copy(entries));
    return rep == nullptr ? Value::map_of(make_map(arena_, {})) : Value::map_of(rep);
  }
  Value map(const Type& type, int depth) {
    std::vector<MapEntry> entries(random_() % 3);
    for (MapEntry& entry : entries) {
      entry.key = type.params[0]->kind == TypeKind::dyn ? text() : value(*type.params[0], depth + 1);
      entry.value = value(*type.params[1], depth + 1);
    }
    return map_of(entries);
  }
  Value record(const RecordType& type, int depth) {
    std::vector<MapEntry> entries;
    for (const RecordField& field : type.fields) {
      if (!field.optional || some()) entries.push_back({Value::string(field.name), value(*field.type, depth + 1)});
    }
    return map_of(entries);
  }

  const ProgramData& data_;
  Random random_;
  Arena arena_{1 << 12};
};

[[noreturn]] void differ(const std::string& what, const std::string& interpreted, const std::string& native) {
  fmt::print(stderr, "{}\n  interpreter: {}\n  native code: {}\n", what, interpreted, native);
  std::abort();
}

std::string answer(const Program& program, uint32_t predicate, const Call& call, const Context& context,
                   Scratch& scratch, const DecideOptions& options) {
  Value result;
  Fault fault;
  if (evaluate(program, predicate, call, context, scratch, options, &result, &fault)) {
    return options.interpret_only || native_code_of(program).predicate(predicate) != nullptr
               ? fmt::format("{} {}", static_cast<int>(result.kind), conformance::show(result, kShown))
               : "";
  }
  return fmt::format("{}: {} at {}", fault_name(fault.code), fault_message(fault), fault.location);
}

// Decides the call, and evaluates every predicate. With native code, every answer is compared.
void run(const Program& program, const Call& call, const Context& context, bool has_native) {
  static Scratch scratch(4 << 20);
  for (const Budget& budget : {kSmall, Budget{}}) {
    if (!has_native && budget.cost == Budget{}.cost) break;
    DecideOptions options;
    options.budget = budget;
    options.interpret_only = true;
    const Effect first = decide(call, context, scratch, options).effect;
    const Decision all = decide_all(call, context, scratch, options);
    if (all.effect != first && all.code != DecisionCode::budget_exceeded) std::abort();
    if (has_native) {
      const std::string expected = to_string(oracle::describe(program, all));
      options.interpret_only = false;
      const std::string got = to_string(oracle::describe(program, decide_all(call, context, scratch, options)));
      if (got != expected) differ("decisions differ", expected, got);
      if (decide(call, context, scratch, options).effect != first)
        differ("decide differs from decide_all", expected, "");
    }
    const size_t predicates = std::min(data_of(program).predicates.size(), kPredicates);
    for (uint32_t i = 0; i < predicates; ++i) {
      options.interpret_only = true;
      const std::string expected = answer(program, i, call, context, scratch, options);
      if (!has_native) continue;
      options.interpret_only = false;
      const std::string got = answer(program, i, call, context, scratch, options);
      if (got != expected) differ(fmt::format("predicate {} differs", i), expected, got);
    }
  }
}

bool make_native(const Program& program, uint64_t hash) {
#ifdef ORDAIN_HAS_JIT
  static const char* const wish = std::getenv("ORDAIN_FUZZ_NATIVE");
  static const uint64_t every = wish == nullptr ? 64 : std::strtoull(wish, nullptr, 10);
  if (every == 0 || hash % every != 0) return false;
  NativeOptions options;
  options.optimisation = 0;
  auto native = compile_native(program, options);
  if (!native) {
    fmt::print(stderr, "no native code: {}\n", native.error().message);
    std::abort();
  }
  return true;
#else
  (void)program;
  (void)hash;
  return false;
#endif
}

uint64_t hash_of(std::string_view bytes) {
  uint64_t out = 14695981039346656037u;
  for (const char c : bytes) out = (out ^ static_cast<uint8_t>(c)) * 1099511628211u;
  return out ^ out >> 32;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto loaded = Program::load(bytes, standard_library());
  if (!loaded) return 0;
  const std::shared_ptr<const Program>& program = *loaded;
  if (program->serialise() != bytes) std::abort();  // one program has one serialised form
  const uint64_t hash = hash_of(bytes);
  if (hash % 16 == 1) disassemble(*program);
  const bool has_native = make_native(*program, hash);

  const std::vector<Capability>& capabilities = program->schema().capabilities;
  Call call(program);
  Facts facts(*program, hash);
  const auto decide_calls = [&](std::string_view capability) {
    for (const Stage stage : {Stage::before, Stage::after}) {
      call.begin(program->resolve(capability), stage);
      Context context(program);
      facts.fill(call, context);
      run(*program, call, context, has_native);
    }
  };
  decide_calls("some.capability");
  for (size_t i = 0; i < std::min(capabilities.size(), kCapabilities); ++i) decide_calls(capabilities[i].name);
  return 0;
}

// Edits the tables of a program that loads; bytes that are no program are changed as bytes.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Random random(seed);
  auto loaded = random() % 16 == 0 ? Result<std::shared_ptr<const Program>>(Error{"bytes", ""})
                                   : Program::load({reinterpret_cast<const char*>(data), size}, standard_library());
  if (!loaded) return LLVMFuzzerMutate(data, size, max_size);
  // Nobody else has the program, and it never runs.
  fuzz::edit_program(const_cast<ProgramData&>(data_of(**loaded)), random);
  const std::string edited = (*loaded)->serialise();
  if (edited.size() > max_size) return size;
  std::memcpy(data, edited.data(), edited.size());
  return edited.size();
}
