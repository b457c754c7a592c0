// These tests cover the function table: signatures, look-up, and choosing an overload by the
// arguments' kinds.
#include "ordain/function.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace ordain {
namespace {

bool answer_one(Eval&, const Value*, Value* result) { return *result = Value::integer(1), true; }
bool answer_two(Eval&, const Value*, Value* result) { return *result = Value::integer(2), true; }
uint64_t cost_ten(const Value*) { return 10; }

Overload row(std::string name, std::string id, std::string signature, FunctionImpl call = answer_one) {
  Overload out;
  out.name = std::move(name);
  out.id = std::move(id);
  out.signature = std::move(signature);
  out.call = call;
  return out;
}

std::string described(const FunctionTable& table, const char* id) {
  const Overload* overload = table.find_overload(id);
  std::string out = overload->member ? "member" : "global";
  for (const Type* param : overload->params) out += " " + to_string(*param);
  return out + " -> " + to_string(*overload->result);
}

TEST(Functions, SignaturesAreRead) {
  FunctionTable table;
  table.add(row("startsWith", "a", "string.(string) -> bool"));
  table.add(row("_+_", "b", "(list(A), list(A)) -> list(A)"));
  table.add(row("get", "c", "map(string, list(B)).(string, optional_type(int)) -> B"));
  table.add(row("now", "d", "()->timestamp"));
  table.add(row("family", "e", "net.IP.() -> int"));
  EXPECT_EQ(described(table, "a"), "member string string -> bool");
  EXPECT_EQ(described(table, "b"), "global list(A) list(A) -> list(A)");
  EXPECT_EQ(described(table, "c"), "member map(string, list(B)) string optional_type(int) -> B");
  EXPECT_EQ(described(table, "d"), "global -> timestamp");
  EXPECT_EQ(described(table, "e"), "member net.IP -> int");
}

TEST(Functions, BugsOfTheCallerThrow) {
  FunctionTable table;
  table.add(row("f", "f_int", "(int) -> int"));
  for (const char* signature : {"", "int", "(int)", "(int -> int", "(int,) -> int", "(strin) -> int", "(int) -> ",
                                "string(int) -> int", "int.int -> int", "(int)) -> int"}) {
    EXPECT_THROW(table.add(row("g", "g", signature)), std::invalid_argument) << signature;
  }
  EXPECT_THROW(table.add(row("g", "f_int", "(int) -> int")), std::invalid_argument);
  EXPECT_THROW(table.add(row("", "h", "(int) -> int")), std::invalid_argument);
  EXPECT_THROW(table.add(row("g", "", "(int) -> int")), std::invalid_argument);
  Overload bad = row("g", "g", "(int) -> int");
  bad.preparation.arg = 1;
  EXPECT_THROW(table.add(bad), std::invalid_argument);
  EXPECT_EQ(table.find("g"), nullptr);  // a refused row leaves nothing behind
  EXPECT_EQ(table.find_overload("g"), nullptr);
}

TEST(Functions, FoundByNameInOrderOfRegistration) {
  FunctionTable table;
  table.add(row("size", "size_string", "(string) -> int"));
  table.add(row("size", "size_list", "(list(A)) -> int"));
  const Function* size = table.find("size");
  ASSERT_NE(size, nullptr);
  ASSERT_EQ(size->overloads.size(), 2u);
  EXPECT_EQ(size->overloads[1], table.find_overload("size_list"));
  EXPECT_EQ(table.find("siz"), nullptr);
  EXPECT_EQ(table.all().size(), 1u);
}

TEST(Functions, AcceptsByKindsAlone) {
  FunctionTable table;
  table.add(row("f", "f", "(list(int), A) -> A"));
  const Overload& f = *table.find_overload("f");
  Value strings[] = {Value::string("x")};
  Value args[] = {Value::list(strings), Value::null()};
  EXPECT_TRUE(accepts(f, args, 2));  // a list is a list
  EXPECT_FALSE(accepts(f, args, 1));
  Value swapped[] = {args[1], args[0]};
  EXPECT_FALSE(accepts(f, swapped, 2));
  Value absent[] = {args[0], Value()};
  EXPECT_FALSE(accepts(f, absent, 2));
}

TEST(Functions, CallDynamicTakesTheFirstThatFits) {
  FunctionTable table;
  table.add(row("f", "f_none", "(int) -> int", nullptr));
  table.add(row("f", "f_int", "(int) -> int", answer_one));
  table.add(row("f", "f_dyn", "(dyn) -> int", answer_two));
  table.add(row("f", "f_pair", "(int, int) -> int", answer_two));
  const Function& f = *table.find("f");
  Arena arena;
  Eval eval{&arena, 100, 100, {}};
  Value result;
  Value args[] = {Value::integer(7), Value::string("x")};
  ASSERT_TRUE(call_dynamic(eval, f, args, 1, &result));
  EXPECT_EQ(result.i, 1);
  ASSERT_TRUE(call_dynamic(eval, f, args + 1, 1, &result));
  EXPECT_EQ(result.i, 2);
  EXPECT_FALSE(call_dynamic(eval, f, args, 2, &result));
  EXPECT_EQ(eval.fault.code, FaultCode::no_such_overload);
  EXPECT_EQ(eval.fault.detail.as_text(), "f");
  EXPECT_EQ(eval.fault.detail.text, f.name.data());  // lives as long as the table
}

TEST(Functions, CostIsChargedBeforeTheCall) {
  FunctionTable table;
  Overload costly = row("f", "f", "(int) -> int");
  costly.cost = cost_ten;
  table.add(costly);
  Arena arena;
  Eval eval{&arena, 15, 100, {}};
  Value arg = Value::integer(1), result;
  EXPECT_TRUE(call_dynamic(eval, *table.find("f"), &arg, 1, &result));
  EXPECT_EQ(eval.cost_left, 5u);
  EXPECT_FALSE(call_dynamic(eval, *table.find("f"), &arg, 1, &result));
  EXPECT_EQ(eval.fault.code, FaultCode::cost_budget);
  EXPECT_EQ(eval.cost_left, 0u);
}

TEST(Evals, StringsAreChargedAndBounded) {
  Arena arena(1024, 1024);
  Eval eval{&arena, 0, 8, {}};
  Value out;
  ASSERT_TRUE(eval.make_string("hello", &out));
  EXPECT_EQ(out.as_text(), "hello");
  EXPECT_EQ(out.kind, Kind::string);
  EXPECT_EQ(eval.memory_left, 3u);
  ASSERT_TRUE(eval.make_bytes("", &out));
  EXPECT_EQ(out.kind, Kind::bytes);
  EXPECT_EQ(out.aux, 0u);
  EXPECT_FALSE(eval.make_string("hello", &out));
  EXPECT_EQ(eval.fault.code, FaultCode::memory_budget);
  EXPECT_FALSE(eval.make_string("x", &out));  // stays exhausted
}

TEST(Evals, FaultMessagesSurviveAndMayBeLost) {
  Arena arena(64, 64);
  Eval eval{&arena, 0, 0, {}};
  {
    std::string message = "not a number";
    EXPECT_FALSE(eval.fail(FaultCode::conversion, message));
  }
  EXPECT_EQ(eval.fault.detail.as_text(), "not a number");
  EXPECT_FALSE(eval.fail(FaultCode::conversion, std::string(100, 'x')));
  EXPECT_EQ(eval.fault.code, FaultCode::conversion);
  EXPECT_FALSE(eval.fault.detail.present());
  EXPECT_EQ(fault_message(eval.fault), "conversion failed");
}

TEST(Faults, NamesAndMessages) {
  Fault fault{FaultCode::no_such_key, 0, Value::string("x")};
  EXPECT_EQ(fault_message(fault), "no such key \"x\"");
  EXPECT_EQ(fault_name(fault.code), "no_such_key");
  fault = {FaultCode::no_such_key, 0, Value::integer(7)};
  EXPECT_EQ(fault_message(fault), "no such key 7");
  fault = {FaultCode::division_by_zero, 0, {}};
  EXPECT_EQ(fault_message(fault), "division by zero");
  fault = {FaultCode::missing_context, 0, Value::string("agent.level")};
  EXPECT_NE(fault_message(fault).find("agent.level"), std::string::npos);
  std::set<std::string_view> names;
  for (uint16_t n = 0; n <= static_cast<uint16_t>(FaultCode::host_error); ++n) {
    EXPECT_TRUE(names.insert(fault_name(static_cast<FaultCode>(n))).second);
  }
}

}  // namespace
}  // namespace ordain
