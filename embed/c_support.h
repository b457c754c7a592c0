// What all functions of the C interface share: failures as exceptions within, statuses without, and
// the reading of the caller's structs and texts.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "ordain/c.h"

namespace ordain::c_api {

struct Failure {
  ordain_status status;
  std::string message;
};

// A copy that ends with a NUL, for std::free; nullptr if there is no memory.
inline char* copy_of(std::string_view text) {
  auto* out = static_cast<char*>(std::malloc(text.size() + 1));
  if (out == nullptr) return nullptr;
  std::memcpy(out, text.data(), text.size());
  out[text.size()] = '\0';
  return out;
}

template <typename Struct>
bool is_known(const Struct* object) noexcept {
  return object->version == ORDAIN_ABI_VERSION && object->size >= sizeof(Struct);
}

template <typename Struct>
void check_struct(const Struct* object, const char* name) {
  if (object == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, std::string(name) + " is NULL"};
  if (!is_known(object)) {
    throw Failure{ORDAIN_INVALID_ARGUMENT,
                  std::string(name) + " is of another size or version: initialise it with its INIT macro"};
  }
}

// Fills the caller's error without throwing: if there is no memory, the caller gets a status
// without a message.
inline ordain_status report(ordain_error* error, ordain_status status, const char* message) noexcept {
  if (error == nullptr || !is_known(error)) return status;
  error->status = status;
  error->message = message == nullptr ? nullptr : copy_of(message);
  return status;
}

// Runs `body`, and turns any exception into a status, after passing it to `refuse`.
template <typename Body, typename Refuse>
ordain_status guarded(ordain_error* error, Body body, Refuse refuse) noexcept {
  const auto fail = [&](ordain_status status, const char* message) {
    refuse(status, message);
    return report(error, status, message);
  };
  try {
    if (error != nullptr) check_struct(error, "error");
    body();
    return report(error, ORDAIN_OK, nullptr);
  } catch (const Failure& failure) {
    return fail(failure.status, failure.message.c_str());
  } catch (const std::bad_alloc&) {
    return fail(ORDAIN_NO_MEMORY, "out of memory");
  } catch (const std::exception& wrong) {
    return fail(ORDAIN_INTERNAL, wrong.what());
  } catch (...) {
    return fail(ORDAIN_INTERNAL, "an unknown exception");
  }
}

template <typename Body>
ordain_status guarded(ordain_error* error, Body body) noexcept {
  return guarded(error, body, [](ordain_status, const char*) {});
}

// A text of the caller; `data` is not NULL.
inline std::string_view text_of(const char* data, size_t length) {
  return {data, length == ORDAIN_NUL_TERMINATED ? std::strlen(data) : length};
}

inline std::optional<std::string_view> optional_text(const char* data, size_t length) {
  if (data == nullptr) return std::nullopt;
  return text_of(data, length);
}

}  // namespace ordain::c_api
