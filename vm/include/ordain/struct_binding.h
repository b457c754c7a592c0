// StructBinding binds the members of a C++ struct to the slots of a capability once. Calls are then
// filled from objects of that struct without names, hashing or allocation.
#pragma once

#include <concepts>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ordain/call.h"
#include "ordain/export.h"
#include "ordain/result.h"
#include "ordain/value_codec.h"

namespace ordain {

namespace detail {

/// What is known of a C++ type, for comparison with a declaration. `any` has a codec of the host's
/// own, and is checked value by value.
struct CppType {
  enum Shape : uint8_t { any, boolean, integer, floating, string, timestamp, duration, list, map, null };
  Shape shape = any;
  bool optional = false;
  const CppType* element = nullptr;  ///< of list and map
};

template <typename T>
struct CppTypeOf {
  static constexpr CppType kType = std::same_as<T, bool>               ? CppType{CppType::boolean}
                                   : std::integral<T>                  ? CppType{CppType::integer}
                                   : std::floating_point<T>            ? CppType{CppType::floating}
                                   : std::same_as<T, std::string>      ? CppType{CppType::string}
                                   : std::same_as<T, std::string_view> ? CppType{CppType::string}
                                   : std::same_as<T, std::monostate>   ? CppType{CppType::null}
                                                                       : CppType{};
};
template <typename Rep, typename Period>
struct CppTypeOf<std::chrono::duration<Rep, Period>> {
  static constexpr CppType kType{CppType::duration};
};
template <typename Tick>
struct CppTypeOf<std::chrono::time_point<std::chrono::system_clock, Tick>> {
  static constexpr CppType kType{CppType::timestamp};
};
template <typename T>
struct CppTypeOf<std::vector<T>> {
  static constexpr CppType kType{CppType::list, false, &CppTypeOf<T>::kType};
};
template <typename T>
struct CppTypeOf<std::map<std::string, T>> {
  static constexpr CppType kType{CppType::map, false, &CppTypeOf<T>::kType};
};
template <typename T>
struct CppTypeOf<std::optional<T>> {
  static constexpr CppType kType{CppTypeOf<T>::kType.shape, true, CppTypeOf<T>::kType.element};
};

template <typename T>
concept HasCodec = requires(Arena& arena, const T& value) {
  { ValueCodec<T>::encode(arena, value) } -> std::same_as<Value>;
};

/// The part of a binding that does not depend on the struct: a field's path, its slot, and how to
/// read its member.
struct BoundField {
  using Read = Value (*)(Arena& arena, const void* object, const void* member);
  std::string path;
  SlotRef slot;
  Kind kind = Kind::absent;  ///< of the slot; absent: any
  bool output = false;       ///< a field of output, not of input
  Read read = nullptr;
  alignas(8) std::byte member[8] = {};  ///< the pointer to member
};

class ORDAIN_API StructFields {
 public:
  StructFields(std::shared_ptr<const Program> program, std::string_view capability);
  void add(BoundField field, const CppType& type);
  std::optional<Error> finish();
  void fill(Call& call, const void* object) const;

  const CapabilityRef& capability() const& { return ref_; }
  CapabilityRef capability() const&& { return ref_; }
  const std::shared_ptr<const Program>& program() const& { return program_; }
  std::shared_ptr<const Program> program() const&& { return program_; }

 private:
  void fail(std::string message);
  void fail(const BoundField& field, const Type& declared, const CppType& type);
  bool bound(std::string_view path) const;
  void require(const RecordType& record, const std::string& path);
  Value tree(Arena& arena, const void* object, std::string_view path) const;
  Value read(Arena& arena, const void* object, const BoundField& field) const;

  std::shared_ptr<const Program> program_;
  std::string name_;
  CapabilityRef ref_;
  const RecordType* roots_[2] = {nullptr, nullptr};  ///< input, output; nullptr: anything fits
  bool used_[2] = {true, false};
  bool whole_ = false;  ///< rules read more than single fields, so values are bound as a tree
  std::vector<BoundField> fields_;
  std::optional<Error> error_;
};

}  // namespace detail

/// Fills calls of one capability from objects of one struct. StructBinder makes it. It is
/// immutable, so any number of threads may use it. It belongs to one program: make it again when
/// the program changes.
template <typename T>
class StructBinding {
 public:
  using LendsViews = void;  ///< program() lives as long as the binding

  const CapabilityRef& capability() const& { return plan_.capability(); }
  CapabilityRef capability() const&& { return plan_.capability(); }
  const Program& program() const& { return *plan_.program(); }
  const Program& program() const&& = delete;

  /// Sets every bound field of a call that was begun with `capability()`. Only lists and maps
  /// allocate, in the call's arena. Texts are views: the object must live until the decision is no
  /// longer used. A value that does not fit (an integer out of range, NaN, invalid UTF-8), or a
  /// call of another program, makes the call invalid.
  void fill(Call& call, const T& object) const { plan_.fill(call, &object); }
  void fill(Call& call, const T&& object) const = delete;  // its texts would not live long enough

 private:
  template <typename U>
  friend class StructBinder;
  explicit StructBinding(detail::StructFields plan) : plan_(std::move(plan)) {}
  detail::StructFields plan_;
};

/// Binds members to declared fields:
///
///     auto binding = StructBinder<Payment>(program, "pay")
///                        .bind("input.amount", &Payment::amount)
///                        .bind("input.note", &Payment::note)  // std::optional for an optional field
///                        .finish();
///
/// Members may be bool, integers, floating point, std::string and std::string_view, std::chrono
/// durations and system times, std::vector and std::map<std::string, ...> of these, std::optional
/// of any of them, and any type that has a ValueCodec.
template <typename T>
class StructBinder {
  static_assert(std::is_class_v<T>, "StructBinder: binds the members of a class");

 public:
  StructBinder(std::shared_ptr<const Program> program, std::string_view capability)
      : plan_(std::move(program), capability) {}

  /// @param path "input.amount", "input.address.city", "output.text".
  template <typename Member, typename Owner>
  StructBinder bind(std::string_view path, Member Owner::* member) && {
    add(path, member);
    return std::move(*this);
  }
  template <typename Member, typename Owner>
  StructBinder& bind(std::string_view path, Member Owner::* member) & {
    add(path, member);
    return *this;
  }

  /// @returns error "bad_binding" for the first mistake: an unknown capability or field (with a
  /// suggestion if one is near), a member whose type its field cannot hold, a field bound twice, or
  /// a required field that is not bound.
  Result<StructBinding<T>> finish() {
    if (auto error = plan_.finish()) return *error;
    return StructBinding<T>(std::move(plan_));
  }

 private:
  template <typename Member, typename Owner>
  void add(std::string_view path, Member Owner::* member) {
    static_assert(!std::is_function_v<Member>, "bind: a data member, not a function");
    static_assert(std::derived_from<T, Owner>, "bind: a member of the struct or of its bases");
    static_assert(detail::HasCodec<std::remove_cv_t<Member>>, "bind: the member's type needs a ValueCodec");
    using Pointer = Member T::*;
    const Pointer pointer = member;
    detail::BoundField field;
    static_assert(sizeof(Pointer) <= sizeof(field.member));
    field.path = path;
    std::memcpy(field.member, &pointer, sizeof(pointer));
    field.read = [](Arena& arena, const void* object, const void* stored) {
      Pointer at;
      std::memcpy(&at, stored, sizeof(at));
      return ValueCodec<std::remove_cv_t<Member>>::encode(arena, static_cast<const T*>(object)->*at);
    };
    plan_.add(std::move(field), detail::CppTypeOf<std::remove_cv_t<Member>>::kType);
  }

  detail::StructFields plan_;
};

}  // namespace ordain
