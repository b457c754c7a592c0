// object_cache.cc reads and writes the files of the cache. "<key>.native" = magic, MAC of the rest,
// key, number of objects, their sizes, padding to 16 bytes, and the objects, each padded to 16
// bytes. "secret" is the key of the MACs. All files are opened relative to the directory that was
// checked, so that an attacker cannot put another directory in its place.
#include "vm/jit/object_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "native_sources.h"
#include "ordain/digest.h"
#include "vm/interpret/frame.h"
#include "vm/program/program_data.h"
#include "vm/value/descriptor.h"

namespace ordain::native {
namespace {

constexpr std::string_view kMagic = "ORDNOBJ1";
constexpr std::string_view kSuffix = ".native";
constexpr std::string_view kUnfinished = ".new";
constexpr const char* kSecret = "secret";
constexpr size_t kSecretBytes = 32;
constexpr size_t kAlignment = 16;
constexpr time_t kAbandoned = 3600;  // seconds after which a temporary file is abandoned

Error unsafe(std::string message) { return {"unsafe_cache", std::move(message)}; }
std::string reason() { return std::strerror(errno); }

/// @returns what is wrong with the file's owner or permissions, or ""
std::string exposure(const struct stat& status, const std::string& what) {
  if (status.st_uid != ::geteuid()) return fmt::format("{} belongs to user {}, not {}", what, status.st_uid, geteuid());
  if ((status.st_mode & 077) != 0) {
    return fmt::format("{} is open to others (mode {:o}); it must be {:o}", what, status.st_mode & 07777,
                       status.st_mode & 07700);
  }
  return "";
}

bool read_all(int file, size_t size, std::string* out) {
  out->resize(size);
  for (size_t at = 0; at < size;) {
    const ssize_t got = ::read(file, out->data() + at, size - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += static_cast<size_t>(got);
  }
  return true;
}

/// @returns a name that no other thread or process uses
std::string temporary_name() {
  static std::atomic<uint64_t> next = 0;
  return fmt::format("{}-{}{}", ::getpid(), next++, kUnfinished);
}

/// Writes a new, complete file in this directory. @returns its unique name, or "" after a failure.
/// `durable`: sync it, because it would not be written again if a crash of the machine lost its
/// bytes.
std::string write_temporary(int directory, std::string_view bytes, bool durable) {
  std::string name = temporary_name();
  const Descriptor file(::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return "";
  const bool written = ::fchmod(file.number(), 0600) == 0 && write_all(file.number(), bytes);
  if (written && (!durable || ::fsync(file.number()) == 0)) return name;
  ::unlinkat(directory, name.c_str(), 0);
  return "";
}

Result<std::string> read_secret(int directory) {
  const Descriptor file(::openat(directory, kSecret, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open()) return unsafe(fmt::format("the cache's secret cannot be opened: {}", reason()));
  struct stat status;
  if (::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode))
    return unsafe("the cache's secret is not a regular file");
  if (std::string wrong = exposure(status, "the cache's secret"); !wrong.empty()) return unsafe(std::move(wrong));
  std::string out;
  if (status.st_size != static_cast<off_t>(kSecretBytes) || !read_all(file.number(), kSecretBytes, &out)) {
    return unsafe(fmt::format("the cache's secret is damaged; remove the file `{}`", kSecret));
  }
  return out;
}

/// Reads the secret, or creates it if it is missing. If several processes create it at once, one of
/// them wins.
Result<std::string> secret_of(int directory) {
  struct stat status;
  if (::fstatat(directory, kSecret, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
    std::array<char, kSecretBytes> bytes;
    if (::getentropy(bytes.data(), bytes.size()) != 0) return unsafe("no random bytes are to be had: " + reason());
    const std::string made = write_temporary(directory, {bytes.data(), bytes.size()}, /*durable=*/true);
    if (made.empty()) return unsafe("the cache's secret cannot be written: " + reason());
    const int linked = ::linkat(directory, made.c_str(), directory, kSecret, 0);
    const int error = errno;
    ::unlinkat(directory, made.c_str(), 0);
    if (linked != 0 && error != EEXIST) {
      return unsafe(fmt::format("the cache's secret cannot be written: {}", std::strerror(error)));
    }
  }
  return read_secret(directory);
}

void put_number(std::string* out, uint64_t value) {
  for (int i = 0; i < 8; ++i) *out += static_cast<char>(value >> (8 * i) & 0xff);
}

/// Takes a number from the front. @returns 0 and sets `ok` to false if the bytes end.
uint64_t take_number(std::string_view* bytes, bool* ok) {
  if (bytes->size() < 8) {
    *ok = false;
    return 0;
  }
  uint64_t out = 0;
  for (size_t i = 0; i < 8; ++i) out |= uint64_t{static_cast<uint8_t>((*bytes)[i])} << (8 * i);
  bytes->remove_prefix(8);
  return out;
}

void pad(std::string* out) { out->append((kAlignment - out->size() % kAlignment) % kAlignment, '\0'); }

std::string_view as_text(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

bool same_secretly(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<uint8_t>(a[i]) ^ static_cast<uint8_t>(b[i]);
  return difference == 0;
}

constexpr size_t kHead = kMagic.size() + sizeof(Digest);

std::string archive_bytes(const Digest& key, std::span<const std::string> objects, std::string_view secret) {
  std::string out(kHead, '\0');
  out += as_text(key);
  put_number(&out, objects.size());
  for (const std::string& object : objects) put_number(&out, object.size());
  for (const std::string& object : objects) {
    pad(&out);
    out += object;
  }
  const Digest mac = hmac_sha256(secret, std::string_view(out).substr(kHead));
  out.replace(0, kMagic.size(), kMagic);
  out.replace(kMagic.size(), mac.size(), as_text(mac));
  return out;
}

/// Finds the objects in the archive. @returns false if they do not belong to `key`.
bool take_apart(const Digest& key, std::string_view secret, Archive* archive) {
  const std::string_view bytes = archive->bytes;
  if (bytes.size() < kHead || !bytes.starts_with(kMagic)) return false;
  std::string_view rest = bytes.substr(kHead);
  if (!same_secretly(bytes.substr(kMagic.size(), sizeof(Digest)), as_text(hmac_sha256(secret, rest)))) return false;
  if (!rest.starts_with(as_text(key))) return false;
  rest.remove_prefix(sizeof(Digest));
  bool ok = true;
  const uint64_t count = take_number(&rest, &ok);
  if (!ok || count > rest.size() / 8) return false;
  std::vector<uint64_t> sizes;
  for (uint64_t i = 0; i < count; ++i) sizes.push_back(take_number(&rest, &ok));
  size_t at = bytes.size() - rest.size();
  for (const uint64_t size : sizes) {
    at += (kAlignment - at % kAlignment) % kAlignment;
    if (at > bytes.size() || size > bytes.size() - at) return false;
    archive->objects.push_back(bytes.substr(at, size));
    at += size;
  }
  return ok;
}

std::string file_name(const Digest& key) { return to_hex(key) + std::string(kSuffix); }

}  // namespace

Digest object_key(const Program& program, const NativeOptions& options, std::string_view target) {
  std::string text = fmt::format("{}\n{}\n{}\n{} {} {}\n", kMagic, kNativeSources, target, options.optimisation,
                                 options.predicates_per_module, options.standalone ? 1 : 0);
  for (const std::string& name : options.first) text += fmt::format("first {}:{}\n", name.size(), name);
  // Lowering depends on these properties of functions, which the host defines.
  for (const Overload* overload : link_tables(program).overloads) {
    if (overload == nullptr) {
      text += "dynamic\n";
    } else {
      text += fmt::format("{}:{} {} {}\n", overload->id.size(), overload->id, overload->cost == nullptr ? 0 : 1,
                          static_cast<unsigned>(overload->intrinsic));
    }
  }
  text += as_text(program.digest());
  return sha256(text);
}

Result<std::shared_ptr<const ObjectCache>> ObjectCache::open(const std::string& directory, uint64_t most_bytes) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return unsafe(fmt::format("the cache directory `{}` cannot be made: {}", directory, reason()));
  }
  // A trailing slash would make the system follow a symbolic link in the last component.
  std::string path = directory;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  Descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened.is_open()) {
    const bool link = errno == ELOOP || errno == ENOTDIR;
    return unsafe(link ? fmt::format("the cache directory `{}` is a symbolic link or no directory", directory)
                       : fmt::format("the cache directory `{}` cannot be opened: {}", directory, reason()));
  }
  struct stat status;
  if (::fstat(opened.number(), &status) != 0) return unsafe("the cache directory cannot be examined: " + reason());
  std::string wrong = exposure(status, fmt::format("the cache directory `{}`", directory));
  if (!wrong.empty()) return unsafe(std::move(wrong));
  auto secret = secret_of(opened.number());
  if (!secret) return secret.error();
  return std::shared_ptr<const ObjectCache>(new ObjectCache(opened.release(), std::move(*secret), most_bytes));
}

ObjectCache::ObjectCache(int directory, std::string secret, uint64_t most_bytes)
    : directory_(directory), secret_(std::move(secret)), most_bytes_(most_bytes) {}
ObjectCache::~ObjectCache() { ::close(directory_); }

std::unique_ptr<Archive> ObjectCache::find(const Digest& key) const {
  const std::string name = file_name(key);
  const Descriptor file(::openat(directory_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status;
  if (!file.is_open() || ::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) return nullptr;
  if (!exposure(status, name).empty() || static_cast<uint64_t>(status.st_size) > most_bytes_) return nullptr;
  auto out = std::make_unique<Archive>();
  if (!read_all(file.number(), static_cast<size_t>(status.st_size), &out->bytes)) return nullptr;
  if (!take_apart(key, secret_, out.get())) return nullptr;
  ::futimens(file.number(), nullptr);  // used now: the least recently used file goes first
  return out;
}

void ObjectCache::put(const Digest& key, std::span<const std::string> objects) const {
  const std::string bytes = archive_bytes(key, objects, secret_);
  if (bytes.size() > most_bytes_) return;
  const std::string name = file_name(key);
  if (write(name, bytes)) evict(name);
}

bool ObjectCache::write(const std::string& name, std::string_view bytes) const {
  const std::string made = write_temporary(directory_, bytes, /*durable=*/false);
  if (made.empty()) return false;
  if (::renameat(directory_, made.c_str(), directory_, name.c_str()) == 0) return true;
  ::unlinkat(directory_, made.c_str(), 0);
  return false;
}

void ObjectCache::evict(const std::string& kept) const {
  struct Entry {
    std::string name;
    uint64_t bytes;
    timespec used;
  };
  const int again = ::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* listing = again < 0 ? nullptr : ::fdopendir(again);
  if (listing == nullptr) return;
  std::vector<Entry> entries;
  uint64_t total = 0;
  const time_t now = ::time(nullptr);
  while (const dirent* item = ::readdir(listing)) {
    const std::string name = item->d_name;
    struct stat status;
    if (::fstatat(directory_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) continue;
    if (name.ends_with(kUnfinished) && status.st_mtim.tv_sec < now - kAbandoned) {
      ::unlinkat(directory_, name.c_str(), 0);
    }
    if (!name.ends_with(kSuffix)) continue;
    total += static_cast<uint64_t>(status.st_size);
    if (name != kept) entries.push_back({name, static_cast<uint64_t>(status.st_size), status.st_mtim});
  }
  ::closedir(listing);
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
  });
  for (const Entry& entry : entries) {
    if (total <= most_bytes_) return;
    if (::unlinkat(directory_, entry.name.c_str(), 0) == 0) total -= entry.bytes;
  }
}

}  // namespace ordain::native

namespace ordain {

Result<void> check_native_cache(const std::string& directory) {
  auto cache = native::ObjectCache::open(directory, NativeOptions().cache_bytes);
  if (!cache) return cache.error();
  return {};
}

}  // namespace ordain
