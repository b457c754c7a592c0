// test_scope.h holds what the values of tests are checked with: the names that they may use, and how
// much they may grow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {

/// How many nodes the values of all tests may have together, with names written out and the steps of
/// a table counted for each row.
inline constexpr uint64_t kMaxTestNodes = 4'000'000;

/// What the tests of a policy set share.
struct TestWork {
  std::vector<uint64_t> let_sizes;  ///< by let: the nodes of its value, with its lets written out
  uint64_t left = kMaxTestNodes;
  bool exhausted = false;  ///< reported; no further test is checked
};
TestWork measure_lets(const State& state);

/// A `let` of a test, or a column of its table for one row.
struct Fixture {
  const syntax::Expr* literal =
      nullptr;        ///< the record, list or constant that it stands for; nullptr if it is computed
  uint64_t size = 0;  ///< nodes, with names written out
  Span span;          ///< of the name
};

/// The scope of a package's tests: it has lets but no facts, because a test brings its own.
struct TestScope {
  State& state;
  TestWork& work;
  PackageId package = 0;
  Schema schema = {};
  Scope scope = {};
  typed::Test out = {};  ///< the test that is being checked
  std::map<std::string_view, Fixture> fixtures = {};
};

void open_scope(TestScope& test);

/// Adds a name for the steps that follow. Reports a name that is taken.
void define_fixture(TestScope& test, const syntax::Name& name, const syntax::Expr* value);
void forget_fixtures(TestScope& test);

/// Takes the size from what is left. @returns false after reporting that nothing is
bool spend(TestScope& test, uint64_t nodes);
/// The same for a value; nullptr costs nothing.
bool spend(TestScope& test, const syntax::Expr* value);

/// @returns the record, list or constant that `value` stands for, if it is the name of one in the
/// test, or of a record in the package; or `value`
const syntax::Expr& literal_of(const TestScope& test, const syntax::Expr& value);

const Type* type_of(TestScope& test, const syntax::Expr& value);

// --- test_values.cc

/// A field of a record that a test writes.
struct FieldValue {
  std::string_view name;
  Span span;
  const syntax::Expr* value = nullptr;
};

/// @returns the field that a map's key names; "" if the key is not a text
std::string_view key_name(const syntax::Expr& key);

/// Both report what does not fit. `whole` is where a missing field is reported.
bool fit_fields(TestScope& test, const std::vector<FieldValue>& fields, const RecordType& record, Span whole);
bool fit_value(TestScope& test, const syntax::Expr& given, const Type& type, bool optional, const std::string& what);

}  // namespace ordain::policy
