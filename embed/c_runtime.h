// What the files of the C interface to the runtime share: the handles, the reading of the host's JSON,
// and the writing of results.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "embed/c_support.h"
#include "ordain/begun_call.h"
#include "ordain/runtime.h"

struct ordain_runtime {
  ordain_runtime(ordain::Runtime opened, std::string directory, std::shared_ptr<ordain::Metrics> counters, bool code)
      : runtime(std::move(opened)), database(std::move(directory)), metrics(std::move(counters)), native(code) {}

  const ordain::Runtime runtime;
  const std::string database;  // "" if nothing is recorded
  const std::shared_ptr<ordain::Metrics> metrics;
  const bool native;
  std::mutex mutex;      // protects `warnings`
  std::string warnings;  // about the policies in force
};

struct ordain_identity {
  ordain::Identity identity;
};

struct ordain_begun_call {
  ordain::BegunCall call;
};

namespace ordain::c_api {

// A JSON object of the host. Its members are taken by name, and one that nobody takes is a failure, as is one of
// another type: a misspelt option must not be passed over.
class HostObject {
 public:
  // `what` names the object in messages, and outlives this. An absent text stands for {}.
  HostObject(const char* what, std::optional<std::string_view> json, ordain_status otherwise = ORDAIN_INVALID_ARGUMENT);
  // A part of another object; null stands for {}.
  HostObject(const char* what, Document part, ordain_status otherwise);

  // Each gives nullptr, "", nothing or null if there is no such member.
  const Value* take(std::string_view name);
  std::string take_text(std::string_view name);
  std::optional<int64_t> take_number(std::string_view name);
  std::optional<bool> take_bool(std::string_view name);
  std::vector<std::string> take_texts(std::string_view name);
  Document take_object(std::string_view name);
  // The place of a member's text in `names`, or `absent`.
  size_t take_choice(std::string_view name, const std::vector<std::string_view>& names, size_t absent);

  // Fails if a member was not taken. Call it last.
  void finish() const;
  [[noreturn]] void refuse(std::string_view name, std::string_view problem) const;

 private:
  const char* what_;
  ordain_status otherwise_;
  Document document_;
  std::vector<std::string_view> taken_;
};

// Fails with ORDAIN_REFUSED and the error's code.
[[noreturn]] void refuse(const Error& error);

template <typename T>
T checked(Result<T> result) {
  if (!result.ok()) refuse(result.error());
  return std::move(*result);
}

// The runtime of a handle that may be NULL.
inline ordain_runtime& checked_handle(ordain_runtime* runtime) {
  if (runtime == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "runtime is NULL"};
  return *runtime;
}

// Checks a result's struct and empties it, before anything is done that could not be undone.
void clear_result(ordain_bytes* bytes, const char* name);
// Fills it. Throws std::bad_alloc.
void set_result(ordain_bytes* bytes, std::string_view text);

struct CompiledPolicies {
  std::shared_ptr<const Program> program;
  std::string warnings;
};
// Takes "policies" or "texts" from the object and compiles them. Fails with ORDAIN_BAD_POLICY.
CompiledPolicies compile_sources(HostObject& object);

}  // namespace ordain::c_api
