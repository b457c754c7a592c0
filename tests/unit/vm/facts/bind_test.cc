// These tests cover binding: the table of what JSON fits, row by row; host attributes; symbols,
// bits and defaults; and that it allocates nothing once warm.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "ordain/call.h"
#include "ordain/json.h"
#include "tests/support/allocations.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

const FunctionTable& no_functions() {
  static const FunctionTable table;
  return table;
}

// Makes the schema of a program that reads every field of its records.
class Builder {
 public:
  Arena& arena() { return data.memory; }
  const Type* type(std::string_view text) {
    const Type* out = parse_type(arena(), text);
    EXPECT_NE(out, nullptr) << text;
    return out;
  }
  const Type* record_type(std::string_view name, std::vector<RecordField> fields, bool open = false) {
    auto* record = arena().make<RecordType>(RecordType{arena().copy(name), open, arena().copy(fields)});
    return arena().make<Type>(Type{TypeKind::record, {}, {}, record});
  }

  SlotId slot(std::string path, const Type* type, Bank bank = Bank::call) {
    Slot out;
    out.path = std::move(path);
    out.type = type;
    out.bank = bank;
    out.index = schema().slot_count[static_cast<size_t>(bank)]++;
    schema().slots.push_back(out);
    return static_cast<SlotId>(schema().slots.size() - 1);
  }

  // Adds a record with a slot for each field, and for the whole.
  uint32_t record(std::string path, const Type* type, Bank bank = Bank::call, bool whole = true) {
    RecordBinding out;
    out.name = path;
    out.type = type->record;
    out.open = type->record->open;
    if (whole) out.whole = slot(path, type, bank);
    for (const RecordField& field : type->record->fields) {
      FieldBinding binding{std::string(field.name), field.type, field.optional, kNone, kNone};
      std::string at = path + "." + binding.name;
      if (field.type->kind == TypeKind::record) {
        binding.record = record(at, field.type, bank, whole);
      } else {
        binding.slot = slot(at, field.type, bank);
        schema().slots[binding.slot].optional = field.optional;
      }
      out.fields.push_back(binding);
    }
    std::sort(out.fields.begin(), out.fields.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    schema().records.push_back(out);
    return static_cast<uint32_t>(schema().records.size() - 1);
  }

  uint32_t dynamic_record(std::string path, std::vector<std::string> paths) {
    RecordBinding out;
    out.name = path;
    out.dynamic = out.open = true;
    out.whole = slot(path, &types::kDyn);
    std::sort(paths.begin(), paths.end());
    for (const std::string& field : paths) {
      out.fields.push_back({field, &types::kDyn, true, slot(path + "." + field, &types::kDyn), kNone});
    }
    schema().records.push_back(out);
    return static_cast<uint32_t>(schema().records.size() - 1);
  }

  Schema& schema() { return data.schema; }
  Slot& slot_of(std::string_view path) { return schema().slots[find(path)]; }
  SlotId find(std::string_view path) {
    for (SlotId id = 0; id < schema().slots.size(); ++id) {
      if (schema().slots[id].path == path) return id;
    }
    ADD_FAILURE() << path;
    return kNone;
  }

  // Makes a list slot record membership of the symbols.
  void ask_members(std::string_view path, std::vector<SymbolId> symbols) {
    Slot& slot = slot_of(path);
    uint32_t& words = schema().bit_words[static_cast<size_t>(slot.bank)];
    slot.first_bit = words * 64;
    words += static_cast<uint32_t>((symbols.size() + 63) / 64);
    slot.member_symbols = std::move(symbols);
  }

  std::shared_ptr<const Program> link() {
    auto program = link_program(std::move(data), no_functions());
    if (program) return *program;
    ADD_FAILURE() << program.error().message;
    return nullptr;
  }

  ProgramData data;
};

// @returns what a slot holds, as JSON after its kind; "absent"; or the call's error
template <typename Facts>
std::string held(const Facts& facts, std::string_view path) {
  if (facts.error().failed) return facts.error().message;
  for (const Slot& slot : facts.program().schema().slots) {
    if (slot.path != path) continue;
    const Value& value = facts.slots().values[slot.index];
    return value.present() ? std::string(type_name(value.kind)) + " " + to_json(value) : "absent";
  }
  return "no slot";
}

// Binds {"x": json} to a capability whose only field is `x` of the type.
std::string bound(std::string_view type, std::string_view json, bool optional = false) {
  Builder b;
  const Type* input = b.record_type("send.input", {{"x", b.type(type), optional}});
  b.schema().capabilities.push_back({.name = "send", .declared = true, .input = b.record("input", input)});
  auto program = b.link();
  Call call(program);
  call.begin(program->resolve("send"), Stage::before);
  Arena arena;
  Result<Value> value = parse_json(arena, "{\"x\":" + std::string(json) + "}");
  if (!value) return value.error().message;
  call.bind_input(*value);
  std::string out = held(call, "input.x");
  // The whole record holds the same value, converted.
  if (!call.error().failed && out != "absent") {
    const Slot& whole = program->schema().slots[program->schema().records.back().whole];
    const Value* inside = map_find(*call.slots().values[whole.index].map, "x");
    EXPECT_NE(inside, nullptr);
    if (inside != nullptr) {
      EXPECT_EQ(std::string(type_name(inside->kind)) + " " + to_json(*inside), out);
    }
  }
  return out;
}

TEST(Fits, Integers) {
  EXPECT_EQ(bound("int", "13"), "int 13");
  EXPECT_EQ(bound("int", "9223372036854775808"), "input.x: expected int, got uint out of range");
  EXPECT_EQ(bound("uint", "13"), "uint 13");
  EXPECT_EQ(bound("uint", "18446744073709551615"), "uint 18446744073709551615");
  EXPECT_EQ(bound("uint", "-1"), "input.x: expected uint, got int out of range");
  EXPECT_EQ(bound("double", "3"), "double 3.0");
  EXPECT_EQ(bound("double", "9007199254740992"), "double 9007199254740992.0");
  EXPECT_EQ(bound("double", "9007199254740993"), "input.x: expected double, got int that no double equals");
  EXPECT_EQ(bound("double", "18446744073709551615"), "input.x: expected double, got uint that no double equals");
  EXPECT_EQ(bound("dyn", "3"), "int 3");
  EXPECT_EQ(bound("bool", "1"), "input.x: expected bool, got int");
  EXPECT_EQ(bound("string", "1"), "input.x: expected string, got int");
  EXPECT_EQ(bound("timestamp", "1"), "input.x: expected timestamp, got int");
}

TEST(Fits, NumbersWithFractionOrExponent) {
  EXPECT_EQ(bound("double", "1.5"), "double 1.5");
  EXPECT_EQ(bound("int", "5.0"), "int 5");
  EXPECT_EQ(bound("int", "1e3"), "int 1000");
  EXPECT_EQ(bound("int", "5.5"), "input.x: expected int, got double with a fraction");
  EXPECT_EQ(bound("int", "9223372036854775808.0"), "input.x: expected int, got double out of range");
  EXPECT_EQ(bound("int", "-9223372036854775808.0"), "int -9223372036854775808");
  EXPECT_EQ(bound("uint", "5.0"), "uint 5");
  EXPECT_EQ(bound("uint", "-5.0"), "input.x: expected uint, got double out of range");
  EXPECT_EQ(bound("uint", "18446744073709551616.0"), "input.x: expected uint, got double out of range");
  EXPECT_EQ(bound("uint", "0.5"), "input.x: expected uint, got double with a fraction");
  EXPECT_EQ(bound("dyn", "5.0"), "double 5.0");
}

TEST(Fits, Strings) {
  EXPECT_EQ(bound("string", "\"a\""), "string \"a\"");
  EXPECT_EQ(bound("timestamp", "\"2025-01-01T01:00:00+01:00\""), "google.protobuf.Timestamp \"2025-01-01T00:00:00Z\"");
  EXPECT_EQ(bound("timestamp", "\"yesterday\""), "input.x: expected timestamp, got string that is not RFC 3339");
  EXPECT_EQ(bound("duration", "\"1h1s\""), "google.protobuf.Duration \"3601s\"");
  EXPECT_EQ(bound("duration", "\"1 hour\""),
            "input.x: expected duration, got string that is not a duration like `1h30m`");
  EXPECT_EQ(bound("bytes", "\"aGk=\""), "bytes \"aGk=\"");
  EXPECT_EQ(bound("bytes", "\"\""), "bytes \"\"");
  for (const char* bad :
       {"\"*\"", "\"aGk\"", "\"aGl=\"", "\"a=Gk\"", "\"aGk= \"", "\"aGk_\"", "\"====\"", "\"aG==aGk=\""}) {
    EXPECT_EQ(bound("bytes", bad), "input.x: expected bytes, got string that is not base64") << bad;
  }
  EXPECT_EQ(bound("int", "\"13\""), "input.x: expected int, got string");
  EXPECT_EQ(bound("double", "\"nan\""), "input.x: expected double, got string");
  EXPECT_EQ(bound("bool", "\"true\""), "input.x: expected bool, got string");
  EXPECT_EQ(bound("net.IP", "\"10.0.0.1\""), "input.x: expected net.IP, got string");
}

TEST(Fits, NullAndMissing) {
  EXPECT_EQ(bound("string", "null", true), "absent");
  EXPECT_EQ(bound("int", "null", true), "absent");
  EXPECT_EQ(bound("null_type", "null"), "null_type null");
  EXPECT_EQ(bound("dyn", "null"), "null_type null");
  EXPECT_EQ(bound("optional_type(int)", "null"), "optional_type null");
  EXPECT_EQ(bound("optional_type(int)", "5"), "optional_type 5");
  EXPECT_EQ(bound("list(optional_type(int))", "[1,null]"), "list [1,null]");
  EXPECT_EQ(bound("string", "null"), "input.x: expected string, got null");
  EXPECT_EQ(bound("list(int)", "[null]"), "input.x[0]: expected int, got null");
  EXPECT_EQ(bound("null_type", "1"), "input.x: expected null_type, got int");
}

TEST(Fits, ListsAndMaps) {
  EXPECT_EQ(bound("list(int)", "[1,2.0]"), "list [1,2]");
  EXPECT_EQ(bound("list(double)", "[1.5,2,3]"), "list [1.5,2.0,3.0]");
  EXPECT_EQ(bound("list(list(string))", "[[\"a\"],[]]"), "list [[\"a\"],[]]");
  EXPECT_EQ(bound("list(int)", "[1,\"2\"]"), "input.x[1]: expected int, got string");
  EXPECT_EQ(bound("list(int)", "{}"), "input.x: expected list(int), got map");
  EXPECT_EQ(bound("map(string, double)", "{\"k\":2}"), "map {\"k\":2.0}");
  EXPECT_EQ(bound("map(string, int)", "{\"a b\":\"x\"}"), "input.x[\"a b\"]: expected int, got string");
  EXPECT_EQ(bound("map(int, string)", "{\"7\":\"x\",\"-1\":\"y\"}"), "map {\"-1\":\"y\",\"7\":\"x\"}");
  EXPECT_EQ(bound("map(int, string)", "{\"07\":\"x\"}"), "input.x[\"07\"]: expected int, got string as key");
  EXPECT_EQ(bound("map(uint, dyn)", "{\"-1\":1}"), "input.x[\"-1\"]: expected uint, got string as key");
  EXPECT_EQ(bound("map(bool, dyn)", "{\"true\":1}"), "map {\"true\":1}");
  EXPECT_EQ(bound("map(dyn, dyn)", "{\"a\":[1,{}]}"), "map {\"a\":[1,{}]}");
  EXPECT_EQ(bound("map(string, int)", "[]"), "input.x: expected map(string, int), got list");
  EXPECT_EQ(bound("dyn", "{\"a\":[1,null,{\"b\":1.5}]}"), "map {\"a\":[1,null,{\"b\":1.5}]}");
}

TEST(Fits, ConvertedLargeMapsStillFindTheirKeys) {
  Builder b;
  const Type* input = b.record_type("send.input", {{"x", b.type("map(string, double)"), false}});
  b.schema().capabilities.push_back({.name = "send", .declared = true, .input = b.record("input", input)});
  SlotId slot = b.find("input.x");
  auto program = b.link();
  Call call(program);
  call.begin(program->resolve("send"), Stage::before);
  std::string json = "{\"x\":{\"z\":0.5";
  for (int n = 0; n < 50; ++n) json += ",\"k" + std::to_string(n) + "\":" + std::to_string(n);
  call.bind_input(*parse_json(call.arena(), json + "}}"));
  ASSERT_FALSE(call.error().failed) << call.error().message;
  const Value& map = call.slots().values[program->schema().slots[slot].index];
  for (int n = 0; n < 50; ++n) {
    const Value* found = map_find(*map.map, "k" + std::to_string(n));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->kind, Kind::floating);
    EXPECT_EQ(found->d, n);
  }
}

TEST(Fits, DuplicateKeysAreRefusedBeforeBinding) {
  EXPECT_EQ(bound("dyn", "{\"s\":\"a\",\"s\":\"b\"}"), "duplicate key \"s\"");
}

// Runs `round` often, and requires that it allocates nothing.
void expect_no_allocations(const std::function<void()>& round) {
  if (!ORDAIN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "a sanitizer counts allocations itself";
  uint64_t start = test::allocations_made.load();
  ::operator delete(::operator new(8));  // not a new-expression, which could be optimised away
  ASSERT_GT(test::allocations_made.load(), start) << "nothing counts allocations";
  uint64_t before = test::allocations_made.load();
  for (int n = 0; n < 100; ++n) round();
  EXPECT_EQ(test::allocations_made.load(), before);
}

// A capability with a nested record, a list of records and an optional field.
class Records : public testing::Test {
 protected:
  Records() {
    const Type* address =
        b.record_type("send.input.address", {{"city", &types::kString, false}, {"zip", &types::kString, true}});
    const Type* line =
        b.record_type("send.input.lines", {{"sku", &types::kString, false}, {"price", &types::kDouble, false}});
    const Type* input = b.record_type("send.input", {{"amount", &types::kDouble, false},
                                                     {"address", address, false},
                                                     {"lines", types::list_of(b.arena(), line), true},
                                                     {"note", &types::kString, true}});
    b.schema().capabilities.push_back({.name = "send", .declared = true, .input = b.record("input", input)});
    const Type* open = b.record_type("log.input", {{"id", &types::kInt, false}}, true);
    uint32_t open_record = b.record("input", open);
    RecordBinding& binding = b.schema().records[open_record];
    // An undeclared path that a rule reads.
    binding.fields.push_back({"more.deep", &types::kDyn, true, b.slot("input.more.deep", &types::kDyn), kNone});
    b.schema().capabilities.push_back({.name = "log", .declared = true, .input = open_record});
    b.schema().undeclared_input = b.dynamic_record("input", {"a", "a.b", "a.b.c"});
    b.schema().undeclared_output = b.dynamic_record("output", {"text"});
    program = b.link();
    call = std::make_unique<Call>(program);
  }

  const Call& bind(const char* capability, std::string_view json) {
    call->begin(program->resolve(capability), Stage::before);
    Result<Value> value = parse_json(call->arena(), json);
    EXPECT_TRUE(value) << value.error().message;
    call->bind_input(*value);
    return *call;
  }
  std::string message(const char* capability, std::string_view json) { return bind(capability, json).error().message; }

  Builder b;
  std::shared_ptr<const Program> program;
  std::unique_ptr<Call> call;
};

TEST_F(Records, FillEverySlot) {
  const Call& call =
      bind("send", R"({"amount":5,"address":{"city":"Paris","zip":null},"note":"hi","lines":[{"sku":"a","price":1}]})");
  EXPECT_EQ(held(call, "input.amount"), "double 5.0");
  EXPECT_EQ(held(call, "input.address.city"), "string \"Paris\"");
  EXPECT_EQ(held(call, "input.address.zip"), "absent");
  EXPECT_EQ(held(call, "input.address"), "map {\"city\":\"Paris\"}");
  EXPECT_EQ(held(call, "input.note"), "string \"hi\"");
  EXPECT_EQ(held(call, "input.lines"), "list [{\"price\":1.0,\"sku\":\"a\"}]");
  EXPECT_EQ(held(call, "input"),
            R"(map {"address":{"city":"Paris"},"amount":5.0,"lines":[{"price":1.0,"sku":"a"}],"note":"hi"})");
}

TEST_F(Records, NameWhatDoesNotFit) {
  EXPECT_EQ(message("send", R"({"address":{"city":"x"}})"), "input.amount: required, but missing");
  EXPECT_EQ(message("send", R"({"amount":1,"address":{}})"), "input.address.city: required, but missing");
  EXPECT_EQ(message("send", R"({"amuont":1,"address":{"city":"x"}})"),
            "input.amuont: send.input has no such field (did you mean `amount`?)");
  EXPECT_EQ(message("send", R"({"amount":1,"address":{"city":"x"},"qqqqqqqq":1})"),
            "input.qqqqqqqq: send.input has no such field");
  EXPECT_EQ(message("send", R"({"amount":1,"address":{"city":"x","cty":1}})"),
            "input.address.cty: send.input.address has no such field (did you mean `city`?)");
  EXPECT_EQ(message("send", R"({"amount":1,"address":"x"})"),
            "input.address: expected record send.input.address, got string");
  EXPECT_EQ(
      message("send", R"({"amount":1,"address":{"city":"x"},"lines":[{"sku":"a","price":1},{"sku":"a","price":"2"}]})"),
      "input.lines[1].price: expected double, got string");
  EXPECT_EQ(message("send", R"({"amount":1,"address":{"city":"x"},"lines":[{"sku":"a"}]})"),
            "input.lines[0].price: required, but missing");
  EXPECT_EQ(message("send", "[1]"), "input: expected record send.input, got list");
  EXPECT_EQ(message("send", "null"), "input: expected record send.input, got null");
  EXPECT_EQ(message("log", R"({"id":1.5})"), "input.id: expected int, got double with a fraction");
}

TEST_F(Records, SayInPartsWhatDoesNotFit) {
  const BindError& types = bind("log", R"({"id":1.5})").error();
  EXPECT_EQ(types.path, "input.id");
  EXPECT_EQ(types.expected, "int");
  EXPECT_EQ(types.got, "double with a fraction");
  const BindError& missing = bind("send", R"({"amount":1,"address":{}})").error();
  EXPECT_EQ(missing.path, "input.address.city");
  EXPECT_EQ(missing.expected + missing.got, "");
  const BindError& quoted = bind("send", R"({"a: b":1})").error();
  EXPECT_EQ(quoted.path, "input[\"a: b\"]");
  call->begin(program->resolve("send"), Stage::before);
  call->set_risk(-1);
  EXPECT_EQ(call->error().path, "action.risk");
  call->begin(program->resolve("send"), Stage::before);
  call->reject("bad JSON");
  EXPECT_EQ(call->error().path, "");
}

TEST_F(Records, ShowOnlyTheStartOfALongName) {
  std::string name(1'000'000, 'x');
  std::string text = message("send", "{\"" + name + "\":1}");
  EXPECT_LT(text.size(), 200u);
  EXPECT_NE(text.find("...]: send.input has no such field"), std::string::npos);
}

TEST_F(Records, ErrorsEndWithTheNextBegin) {
  EXPECT_TRUE(bind("send", "{}").error().failed);
  EXPECT_FALSE(bind("send", R"({"amount":1,"address":{"city":"x"}})").error().failed);
}

TEST_F(Records, TheFirstErrorStays) {
  call->begin(program->resolve("send"), Stage::before);
  call->reject("bad JSON");
  call->bind_input(Value::null());
  call->set_risk(-1);
  EXPECT_EQ(call->error().message, "bad JSON");
}

TEST_F(Records, OpenOnesTakeMoreAndFillWhatRulesRead) {
  const Call& call = bind("log", R"({"id":7,"more":{"deep":"x"},"other":[1]})");
  EXPECT_EQ(held(call, "input.more.deep"), "string \"x\"");
  const Slot& whole = program->schema().slots[program->schema().records[program->schema().capabilities[1].input].whole];
  EXPECT_EQ(to_json(call.slots().values[whole.index]), R"({"id":7,"more":{"deep":"x"},"other":[1]})");
  EXPECT_EQ(held(bind("log", R"({"id":7,"more.deep":"x"})"), "input.more.deep"), "absent");  // a key, not a path
  EXPECT_EQ(held(bind("log", R"({"id":7,"more":3})"), "input.more.deep"), "absent");
  EXPECT_EQ(held(bind("log", R"({"id":7})"), "input.more.deep"), "absent");
}

TEST_F(Records, UndeclaredCapabilitiesTakeAnything) {
  const Call& call = bind("unheard_of", R"({"a":{"b":{"c":1}},"z":null})");
  EXPECT_EQ(held(call, "input.a"), "map {\"b\":{\"c\":1}}");
  EXPECT_EQ(held(call, "input.a.b"), "map {\"c\":1}");
  EXPECT_EQ(held(call, "input.a.b.c"), "int 1");
  EXPECT_EQ(held(bind("unheard_of", R"({"a":{"b":3}})"), "input.a.b.c"), "absent");
  EXPECT_EQ(held(bind("unheard_of", R"({"a.b":3})"), "input.a.b"), "absent");
  EXPECT_FALSE(bind("unheard_of", "[1,2]").error().failed);
}

TEST_F(Records, UndeclaredOutputTakesAnything) {
  call->begin(program->resolve("send"), Stage::after);
  call->bind_output(*parse_json(call->arena(), R"({"text":"hi"})"));
  EXPECT_EQ(held(*call, "output.text"), "string \"hi\"");
  call->begin(program->resolve("send"), Stage::after);
  EXPECT_EQ(held(*call, "output.text"), "absent");
  call->bind_output(Value::string("plain"));
  EXPECT_EQ(held(*call, "output"), "string \"plain\"");
}

TEST_F(Records, NanInfinityAndBadTextFitNowhere) {
  const double bad[] = {std::nan(""), std::numeric_limits<double>::infinity()};
  for (double number : bad) {
    call->begin(program->resolve("unheard_of"), Stage::before);
    Value items[] = {Value::floating(number)};
    MapEntry entries[] = {{Value::string("a"), Value::list(items)}};
    call->bind_input(Value::map_of(make_map(call->arena(), entries)));
    EXPECT_EQ(call->error().message, std::isnan(number) ? "input.a[0]: NaN" : "input.a[0]: infinity");
  }
  call->begin(program->resolve("unheard_of"), Stage::before);
  MapEntry entries[] = {{Value::string("a"), Value::string("\xff")}};
  call->bind_input(Value::map_of(make_map(call->arena(), entries)));
  EXPECT_EQ(call->error().message, "input.a: invalid UTF-8");
}

TEST_F(Records, NestingIsBounded) {
  call->begin(program->resolve("unheard_of"), Stage::before);
  Value deep = Value::integer(1);
  for (int n = 0; n < 100000; ++n) {
    auto* item = call->arena().make<Value>(deep);
    deep = Value::list({item, 1});
  }
  call->bind_input(deep);
  EXPECT_TRUE(call->error().failed);
  EXPECT_NE(call->error().message.find("nested too deep"), std::string::npos);
}

// Host attributes: two context roots, two of the call, `now`; some strings compared, some lists asked for members.
class Hosts : public testing::Test {
 protected:
  Hosts() {
    b.data.symbols = {"", "admin", "dev", "ops"};  // symbols 1 to 4
    const Type* org = b.record_type("agent.org", {{"name", &types::kString, false}, {"size", &types::kInt, true}});
    const Type* agent = b.record_type("agent", {{"id", &types::kString, false},
                                                {"roles", &types::kListString, false},
                                                {"level", &types::kInt, false},
                                                {"quota", &types::kDouble, true},
                                                {"org", org, false}});
    b.schema().roots["agent"] = b.record("agent", agent, Bank::context);
    const Type* environment = b.record_type("environment", {{"id", &types::kString, false}});
    b.schema().roots["environment"] = b.record("environment", environment, Bank::context, false);
    const Type* resource =
        b.record_type("resource", {{"id", &types::kString, false}, {"type", &types::kString, false}});
    b.schema().roots["resource"] = b.record("resource", resource, Bank::call, false);
    const Type* action =
        b.record_type("action", {{"risk", &types::kDouble, false}, {"elapsed", &types::kDuration, false}});
    b.schema().roots["action"] = b.record("action", action);
    const Type* capability = b.record_type("capability", {{"name", &types::kString, false},
                                                          {"type", &types::kString, false},
                                                          {"risk", &types::kDouble, false},
                                                          {"tags", &types::kListString, false},
                                                          {"reversible", &types::kBool, false},
                                                          {"external", &types::kBool, false}});
    b.schema().roots["capability"] = b.record("capability", capability);
    const Type* metadata = b.record_type("metadata", {{"ticket", &types::kString, false}});
    b.schema().roots["metadata"] = b.record("metadata", metadata, Bank::call, false);
    b.slot("now", &types::kTimestamp);
    for (const char* path : {"agent.id", "environment.id", "resource.type", "resource.id", "capability.name"}) {
      b.slot_of(path).compared = b.slot_of(path).builtin = true;
    }
    for (const char* path : {"agent.roles", "capability.tags"}) b.slot_of(path).builtin = true;
    b.ask_members("agent.roles", {2, 4});
    b.ask_members("capability.tags", {3});
    b.schema().capabilities.push_back({.name = "ops",
                                       .type = "tool",
                                       .risk = 3,
                                       .effects = {"irreversible", "external"},
                                       .tags = {"dev", "x"},
                                       .declared = true});
    b.schema().capabilities.push_back({.name = "named"});
    ids = b.schema().slots;
    program = b.link();
    context = std::make_unique<Context>(program);
    call = std::make_unique<Call>(program);
  }

  const Slot& slot(std::string_view path) const {
    for (const Slot& s : program->schema().slots) {
      if (s.path == path) return s;
    }
    ADD_FAILURE() << path;
    return program->schema().slots[0];
  }
  SlotId id(std::string_view path) const { return static_cast<SlotId>(&slot(path) - program->schema().slots.data()); }
  template <typename Facts>
  SymbolId symbol(const Facts& facts, std::string_view path) const {
    return facts.slots().symbols[slot(path).index];
  }
  template <typename Facts>
  uint64_t bits(const Facts& facts, std::string_view path) const {
    return facts.slots().bits[slot(path).first_bit / 64];
  }
  Value json(std::string_view text) {
    Result<Value> value = parse_json(arena, text);
    EXPECT_TRUE(value);
    return *value;
  }

  Builder b;
  std::vector<Slot> ids;
  Arena arena;
  std::shared_ptr<const Program> program;
  std::unique_ptr<Context> context;
  std::unique_ptr<Call> call;
};

TEST_F(Hosts, ContextIsSetByPath) {
  EXPECT_TRUE(context->set("agent.level", Value::integer(3)));
  EXPECT_TRUE(context->set("agent.quota", Value::integer(3)));
  EXPECT_TRUE(context->set("agent.org.name", Value::string("acme")));
  EXPECT_EQ(held(*context, "agent.level"), "int 3");
  EXPECT_EQ(held(*context, "agent.quota"), "double 3.0");
  EXPECT_EQ(held(*context, "agent.org.name"), "string \"acme\"");
  EXPECT_EQ(held(*context, "agent.org"), "map {\"name\":\"acme\"}");
  EXPECT_EQ(held(*context, "agent"), "map {\"level\":3,\"org\":{\"name\":\"acme\"},\"quota\":3.0}");
  EXPECT_TRUE(context->set("agent.quota", Value::null()));
  EXPECT_EQ(held(*context, "agent.quota"), "absent");
  EXPECT_EQ(held(*context, "agent"), "map {\"level\":3,\"org\":{\"name\":\"acme\"}}");
}

TEST_F(Hosts, ContextCopiesWhatItIsGiven) {
  {
    std::string text = "a name that is long enough not to be in the string itself";
    EXPECT_TRUE(context->set("agent.id", Value::string(text)));
    std::fill(text.begin(), text.end(), '#');
  }
  EXPECT_EQ(held(*context, "agent.id"), "string \"a name that is long enough not to be in the string itself\"");
}

TEST_F(Hosts, UnknownPathsSetNothing) {
  for (const char* path :
       {"agent.foo", "agent.org.foo", "agent.level.foo", "nobody.id", "", "agent.", ".agent", "agent..id"}) {
    EXPECT_FALSE(context->set(path, Value::integer(1))) << path;
    EXPECT_FALSE(context->error().failed) << path;
  }
  EXPECT_EQ(held(*context, "agent"), "absent");
}

TEST_F(Hosts, MisfitsOfTheContextAreErrors) {
  EXPECT_FALSE(context->set("agent.level", Value::string("9")));
  EXPECT_EQ(context->error().message, "agent.level: expected int, got string");
  EXPECT_FALSE(context->set("agent.level", Value::integer(1)));  // the error stays
  Context other(program);
  EXPECT_FALSE(other.set("agent.quota", Value::floating(std::nan(""))));
  EXPECT_EQ(other.error().message, "agent.quota: expected double, got double NaN");
  Context third(program);
  EXPECT_FALSE(third.set("agent.level", Value::null()));
  EXPECT_EQ(third.error().message, "agent.level: expected int, got null");
}

TEST_F(Hosts, RootsAreSetFromMapsAndStrings) {
  std::vector<std::string> unknown;
  EXPECT_TRUE(context->set_root(
      "agent", json(R"({"id":"ops","roles":["ops","x"],"foo":1,"org":{"name":"n","bar":2},"a.b":1})"), &unknown));
  EXPECT_EQ(unknown, (std::vector<std::string>{"agent.foo", "agent.org.bar", "agent[\"a.b\"]"}));
  EXPECT_EQ(held(*context, "agent.org"), "map {\"name\":\"n\"}");
  EXPECT_EQ(held(*context, "agent.level"), "absent");  // absent is not a misfit: only reading it faults
  EXPECT_TRUE(context->set_root("environment", Value::string("admin"), &unknown));
  EXPECT_EQ(held(*context, "environment.id"), "string \"admin\"");
  EXPECT_FALSE(context->set_root("planet", Value::string("x"), &unknown));
  EXPECT_EQ(unknown.back(), "planet");
  EXPECT_FALSE(context->error().failed);
  EXPECT_FALSE(context->set_root("agent", Value::integer(1)));
  EXPECT_EQ(context->error().message, "agent: expected record or string, got int");
}

TEST_F(Hosts, SymbolsAndBitsFollowTheValues) {
  EXPECT_EQ(symbol(*context, "agent.id"), 1u);  // absent: ""
  EXPECT_EQ(bits(*context, "agent.roles"), 0u);
  context->set_root("agent", json(R"({"id":"dev","roles":["ops","zzz","dev"]})"));
  EXPECT_EQ(symbol(*context, "agent.id"), 3u);
  EXPECT_EQ(bits(*context, "agent.roles"), 2u);  // of {admin, ops}: ops
  context->set_root("agent", json(R"({"id":"zzz","roles":["admin","admin"]})"));
  EXPECT_EQ(symbol(*context, "agent.id"), 0u);
  EXPECT_EQ(bits(*context, "agent.roles"), 1u);
  context->set("agent.id", Value());
  context->set("agent.roles", Value());
  EXPECT_EQ(symbol(*context, "agent.id"), 1u);
  EXPECT_EQ(bits(*context, "agent.roles"), 0u);
}

TEST_F(Hosts, BeginSetsTheCapability) {
  call->begin(program->resolve("ops"), Stage::before);
  EXPECT_EQ(held(*call, "capability.name"), "string \"ops\"");
  EXPECT_EQ(held(*call, "capability.type"), "string \"tool\"");
  EXPECT_EQ(held(*call, "capability.risk"), "double 3.0");
  EXPECT_EQ(held(*call, "capability.tags"), "list [\"dev\",\"x\"]");
  EXPECT_EQ(held(*call, "capability.reversible"), "bool false");
  EXPECT_EQ(held(*call, "capability.external"), "bool true");
  EXPECT_EQ(held(*call, "action.risk"), "double 3.0");
  EXPECT_EQ(symbol(*call, "capability.name"), 4u);
  EXPECT_EQ(bits(*call, "capability.tags"), 1u);
}

TEST_F(Hosts, OfAnUndeclaredCapabilityOnlyTheNameIsKnown) {
  for (const char* name : {"named", "unheard_of"}) {
    call->begin(program->resolve(name), Stage::before);
    EXPECT_EQ(held(*call, "capability.name"), "string \"" + std::string(name) + "\"");
    for (const char* path :
         {"capability.type", "capability.risk", "capability.tags", "capability.reversible", "action.risk"}) {
      EXPECT_EQ(held(*call, path), "absent") << path;
    }
    EXPECT_EQ(bits(*call, "capability.tags"), 0u);
  }
}

TEST_F(Hosts, BeginClearsWhatTheLastCallLeft) {
  call->begin(program->resolve("ops"), Stage::before);
  call->bind_root("resource", json(R"({"id":"r","type":"dev"})"));
  call->bind_root("action", json(R"({"risk":"critical","elapsed":"1.5s"})"));
  call->set_now(5, 0);
  EXPECT_EQ(symbol(*call, "resource.type"), 3u);
  EXPECT_EQ(held(*call, "action"), "map {\"elapsed\":\"1.5s\",\"risk\":4.0}");
  call->begin(program->resolve("named"), Stage::after);
  for (const char* path : {"resource.id", "resource.type", "action.risk", "action.elapsed", "now", "capability.type"}) {
    EXPECT_EQ(held(*call, path), "absent") << path;
  }
  EXPECT_EQ(symbol(*call, "resource.type"), 1u);
  EXPECT_EQ(call->stage(), Stage::after);
}

TEST_F(Hosts, RisksHaveNamesAndBounds) {
  auto risk = [&](std::string_view action) {
    call->begin(program->resolve("ops"), Stage::before);
    call->bind_root("action", json(action));
    return held(*call, "action.risk");
  };
  EXPECT_EQ(risk(R"({"risk":"high"})"), "double 3.0");
  EXPECT_EQ(risk(R"({"risk":2})"), "double 2.0");
  EXPECT_EQ(risk(R"({"risk":2.5})"), "double 2.5");
  EXPECT_EQ(risk(R"({"risk":"huge"})"), "action.risk: no such risk; none, low, medium, high, critical or a number");
  EXPECT_EQ(risk(R"({"risk":-1})"), "action.risk: negative");
  for (double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    call->begin(program->resolve("ops"), Stage::before);
    call->set_risk(bad);
    EXPECT_TRUE(call->error().failed) << bad;
  }
  call->begin(program->resolve("ops"), Stage::before);
  call->set_risk(1.5);
  EXPECT_EQ(held(*call, "action.risk"), "double 1.5");
}

TEST_F(Hosts, TimesHaveBounds) {
  call->begin(program->resolve("ops"), Stage::after);
  call->set_now(1234567890, 500000000);
  call->set_elapsed(1, 500000000);
  EXPECT_EQ(held(*call, "now"), "google.protobuf.Timestamp \"2009-02-13T23:31:30.500Z\"");
  EXPECT_EQ(held(*call, "action.elapsed"), "google.protobuf.Duration \"1.5s\"");
  call->set_now(INT64_MAX, 0);
  EXPECT_EQ(call->error().message, "now: timestamp out of range");
  call->begin(program->resolve("ops"), Stage::after);
  call->set_elapsed(INT64_MIN, 0);
  EXPECT_TRUE(call->error().failed);
}

TEST_F(Hosts, MetadataComesFromTheAgent) {
  std::vector<std::string> unknown;
  call->begin(program->resolve("ops"), Stage::before);
  call->bind_root("metadata", json(R"({"ticket":"T-1"})"), &unknown);
  EXPECT_EQ(held(*call, "metadata.ticket"), "string \"T-1\"");
  call->bind_root("metadata", json(R"({"tiket":"T-1"})"), &unknown);
  EXPECT_EQ(call->error().message, "metadata.tiket: metadata has no such field (did you mean `ticket`?)");
  EXPECT_TRUE(unknown.empty());
}

TEST_F(Hosts, RootsOfTheOtherBankAreRefused) {
  call->begin(program->resolve("ops"), Stage::before);
  call->bind_root("agent", json(R"({"id":"x"})"));
  EXPECT_TRUE(call->error().failed);
  EXPECT_NE(call->error().message.find("context"), std::string::npos);
  call->begin(program->resolve("ops"), Stage::before);
  call->bind_root("capability", json(R"({"name":"other"})"));
  EXPECT_TRUE(call->error().failed);
  EXPECT_FALSE(context->set("resource.id", Value::string("x")));
  EXPECT_TRUE(context->error().failed);
}

// Rules may read a record whole, and none of its fields by itself. The bank of its only slot decides.
TEST(Roots, OfTheOtherBankAreRefusedIfReadWhole) {
  for (const Bank bank : {Bank::context, Bank::call}) {
    Builder b;
    const Type* who = b.record_type("who", {{"team", &types::kString, true}});
    for (int i = 0; i < 100; ++i) b.slot("filler" + std::to_string(i), &types::kInt, bank);
    RecordBinding record{.name = "who", .whole = b.slot("who", who, bank), .type = who->record};
    b.schema().records.push_back(record);
    b.schema().roots["who"] = 0;
    const std::shared_ptr<const Program> program = b.link();
    ASSERT_NE(program, nullptr);
    Document value = *Document::parse(R"({"team": "blue"})");
    Context context(program);
    Call call(program);
    call.begin(program->resolve("act"), Stage::before);
    context.set_root("who", value.root());
    call.bind_root("who", value.root());
    EXPECT_EQ(context.error().message, bank == Bank::context ? "" : "who: belongs to a call");
    EXPECT_EQ(call.error().message, bank == Bank::call ? "" : "who: belongs to the context, not to a call");
  }
}

TEST_F(Hosts, SlotsTakeValuesOfTheirKind) {
  auto set = [&](std::string_view path, const Value& value) {
    call->begin(program->resolve("named"), Stage::before);
    call->set(program->slot(id(path)), value);
    return held(*call, path);
  };
  EXPECT_EQ(set("resource.type", Value::string("dev")), "string \"dev\"");
  EXPECT_EQ(symbol(*call, "resource.type"), 3u);
  EXPECT_EQ(set("resource.type", Value::integer(1)), "resource.type: expected string, got int");
  EXPECT_EQ(set("action.risk", Value::integer(1)), "action.risk: expected double, got int");  // no conversion here
  EXPECT_EQ(set("action.risk", Value::floating(std::nan(""))), "action.risk: expected double, got double NaN");
  EXPECT_EQ(set("resource.type", Value::string("\xff")), "resource.type: invalid UTF-8");
  EXPECT_EQ(set("resource.type", Value()), "absent");
  EXPECT_EQ(set("action.risk", Value()), "action.risk: expected double, got nothing");
  EXPECT_EQ(set("now", Value::timestamp(INT64_MAX, 0)), "now: timestamp out of range");
  EXPECT_NE(set("agent.id", Value::string("x")).find("belongs to the context"), std::string::npos);
  Value numbers[] = {Value::integer(1)};
  EXPECT_EQ(set("capability.tags", Value::list(numbers)), "capability.tags[0]: expected string, got int");
  call->begin(program->resolve("named"), Stage::before);
  call->set(program->slot(nullptr, "resource.unheard_of"), Value::integer(1));
  EXPECT_FALSE(call->error().failed);
  call->set(program->slot(9999), Value::integer(1));
  EXPECT_TRUE(call->error().failed);
}

TEST_F(Hosts, CallsAllocateNothingOnceWarm) {
  CapabilityRef ops = program->resolve("ops");
  SlotRef type = program->slot(id("resource.type"));
  std::string text = R"({"id":"r","type":"dev"})", action = R"({"risk":2,"elapsed":"1.5s"})";
  auto round = [&] {
    call->begin(ops, Stage::before);
    call->bind_root("resource", *parse_json(call->arena(), text));
    call->bind_root("action", *parse_json(call->arena(), action));
    call->set(type, Value::string("ops"));
    call->set_now(5, 0);
    call->set_risk(1);
    ASSERT_FALSE(call->error().failed) << call->error().message;
  };
  round();
  round();
  expect_no_allocations(round);
}

TEST_F(Records, BindingAllocatesNothingOnceWarm) {
  CapabilityRef send = program->resolve("send");
  std::string text = R"({"amount":5,"address":{"city":"Paris","zip":null},"note":"hi","lines":[)";
  for (int n = 0; n < 200; ++n) text += R"({"sku":"a","price":1},)";
  text += R"({"sku":"a","price":1.5}]})";
  auto round = [&] {
    call->begin(send, Stage::before);
    call->bind_input(*parse_json(call->arena(), text));
    ASSERT_FALSE(call->error().failed) << call->error().message;
  };
  for (int n = 0; n < 5; ++n) round();
  expect_no_allocations(round);
}

}  // namespace
}  // namespace ordain
