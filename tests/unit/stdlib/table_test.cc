// These tests cover the function table as a whole: every row is well-formed and keeps its promises
// on samples of its kinds, and docs/functions.md agrees with it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/unit/stdlib/call.h"

namespace ordain::testing {
namespace {

TEST(Table, RowsAreComplete) {
  size_t rows = 0;
  for (const auto& [name, function] : standard_library().all()) {
    for (const Overload* row : function.overloads) {
      ++rows;
      EXPECT_NE(row->call, nullptr) << row->id;
      EXPECT_NE(row->result, nullptr) << row->id;
      EXPECT_TRUE(row->doc.ends_with('.')) << row->id;
      EXPECT_EQ(row->doc.find('\n'), std::string::npos) << row->id;
      EXPECT_EQ(standard_library().find_overload(row->id), row);
    }
  }
  EXPECT_GT(rows, 250U);
}

TEST(Table, CanBeAddedToAHostsTable) {
  FunctionTable table;
  table.add({"greet", "greet", "(string) -> string",
             [](Eval&, const Value* args, Value* result) {
               *result = args[0];
               return true;
             },
             "Says hello."});
  add_standard_library(table);
  EXPECT_NE(table.find("greet"), nullptr);
  EXPECT_NE(table.find_overload("add_int64"), nullptr);
  EXPECT_THROW(add_standard_library(table), std::invalid_argument);
}

// @returns values of every kind, including limits
std::vector<Value> samples() {
  return {N(),
          T(),
          T(false),
          I(0),
          I(-1),
          I(3),
          I(INT64_MIN),
          I(INT64_MAX),
          U(0),
          U(2),
          U(UINT64_MAX),
          D(0),
          D(-0.0),
          D(1.5),
          D(-1e300),
          D(__builtin_nan("")),
          D(__builtin_inf()),
          S(""),
          S("a"),
          S("-1"),
          S("%s"),
          S("\xF0\x9F\x90\xB1 b"),
          Y(""),
          Y("\xFF"),
          time("0001-01-01T00:00:00Z"),
          time("9999-12-31T23:59:59.999999999Z"),
          span("0s"),
          span("-1.5s"),
          L({}),
          L({I(1), S("x"), L({D(2)})}),
          L({S("a"), S("b")}),
          M({}),
          M({{S("a"), I(1)}, {I(1), N()}}),
          Value::type("int"),
          none(),
          O(I(1)),
          O(L({I(1)})),
          made("ip", {S("::1")}),
          made("cidr", {S("10.0.0.0/8")})};
}

// Calls each row with every combination of samples that its kinds accept.
template <typename Each>
void for_each_call(const Each& each) {
  const std::vector<Value> all = samples();
  for (const auto& [name, function] : standard_library().all()) {
    for (const Overload* row : function.overloads) {
      std::vector<size_t> at(row->params.size(), 0);
      while (true) {
        std::vector<Value> args;
        for (size_t i : at) args.push_back(all[i]);
        if (accepts(*row, args.data(), args.size())) each(*row, args);
        size_t digit = 0;
        while (digit < at.size() && ++at[digit] == all.size()) at[digit++] = 0;
        if (digit == at.size()) break;
      }
    }
  }
}

TEST(Table, RowsKeepTheirPromises) {
  size_t calls = 0;
  for_each_call([&](const Overload& row, const std::vector<Value>& args) {
    ++calls;
    Eval eval;
    eval.arena = &values();
    eval.cost_left = eval.memory_left = 1'000'000;
    Value result;
    bool ok = call_overload(eval, row, args.data(), &result);
    std::string shown;
    if (!ok || !result.present()) {
      for (const Value& arg : args) shown += show(arg) + " ";
    }
    if (ok) {
      EXPECT_TRUE(result.present()) << row.id << " " << shown;
      Kind kind = kind_of(*row.result);
      if (kind != Kind::absent) {
        EXPECT_EQ(result.kind, kind) << row.id << " " << shown;
      }
    } else {
      EXPECT_NE(eval.fault.code, FaultCode::none) << row.id << " " << shown;
      EXPECT_EQ(row.flags & kNeverFaults, 0U) << row.id << " " << shown << fault_name(eval.fault.code);
    }
  });
  EXPECT_GT(calls, 5'000U);
}

TEST(Table, NoBudgetIsAFaultAndNeverACrash) {
  for_each_call([&](const Overload& row, const std::vector<Value>& args) {
    for (uint64_t left : {0, 1, 17, 40}) {
      Eval eval;
      eval.arena = &values();
      eval.cost_left = left;
      eval.memory_left = left;
      Value result;
      bool ok = call_overload(eval, row, args.data(), &result);
      EXPECT_EQ(ok, eval.fault.code == FaultCode::none) << row.id;
    }
  });
}

// Which functions have a cost shows in the table, or in charges that differ between arguments.
TEST(Table, EveryCostIsDocumented) {
  std::map<std::string, std::set<uint64_t>> charged;
  for (const auto& [name, function] : standard_library().all()) {
    for (const Overload* row : function.overloads) {
      if (row->cost != nullptr || row->preparation.cost != nullptr) charged[name] = {0, 1};
    }
  }
  for_each_call([&](const Overload& row, const std::vector<Value>& args) {
    Eval eval;
    eval.arena = &values();
    eval.cost_left = eval.memory_left = 1'000'000;
    Value result;
    if (call_overload(eval, row, args.data(), &result)) charged[row.name].insert(1'000'000 - eval.cost_left);
  });
  const std::string document = functions_markdown(standard_library());
  const size_t costs = document.find("\n## Costs\n");
  ASSERT_NE(costs, std::string::npos);
  for (const auto& [name, steps] : charged) {
    if (steps.size() == 1 && *steps.begin() == 0) continue;
    EXPECT_NE(document.find('`' + name + '`', costs), std::string::npos) << name << " has a cost";
  }
}

TEST(Table, DocumentIsUpToDate) {
  const std::string path = std::string(ORDAIN_SOURCE_DIR) + "/docs/functions.md";
  const std::string wanted = functions_markdown(standard_library());
  if (const char* update = std::getenv("ORDAIN_UPDATE"); update != nullptr && std::string_view(update) == "1") {
    std::ofstream(path, std::ios::binary) << wanted;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  std::stringstream found;
  found << file.rdbuf();
  EXPECT_TRUE(found.str() == wanted) << path << " differs from the table; run this test with ORDAIN_UPDATE=1";
}

}  // namespace
}  // namespace ordain::testing
