// sqlite_faults is an SQLite VFS that forwards to the system's VFS and injects faults.
#include "runtime/sqlite/sqlite_faults.h"

#include <sqlite3.h>

#include <cstring>

namespace ordain::sqlite {
namespace {

Faults faults;
sqlite3_vfs* below = nullptr;

/// A file of this layer; the system's file follows it in memory.
struct File {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

int code_of(Fault fault, int io_error) { return fault == Fault::disk_full ? SQLITE_FULL : io_error; }

int on_close(sqlite3_file* file) {
  return real(file)->pMethods != nullptr ? real(file)->pMethods->xClose(real(file)) : SQLITE_OK;
}
int on_read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), bytes, size, at);
}
int on_write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  ++faults.writes;
  Fault fault = faults.on_write;
  if (fault != Fault::none && faults.good_writes.fetch_sub(1) <= 0) return code_of(fault, SQLITE_IOERR_WRITE);
  return real(file)->pMethods->xWrite(real(file), bytes, size, at);
}
int on_truncate(sqlite3_file* file, sqlite3_int64 size) { return real(file)->pMethods->xTruncate(real(file), size); }
int on_sync(sqlite3_file* file, int flags) {
  ++faults.syncs;
  Fault fault = faults.on_sync;
  if (fault != Fault::none) return code_of(fault, SQLITE_IOERR_FSYNC);
  return real(file)->pMethods->xSync(real(file), flags);
}
int on_size(sqlite3_file* file, sqlite3_int64* size) { return real(file)->pMethods->xFileSize(real(file), size); }
int on_lock(sqlite3_file* file, int lock) { return real(file)->pMethods->xLock(real(file), lock); }
int on_unlock(sqlite3_file* file, int lock) { return real(file)->pMethods->xUnlock(real(file), lock); }
int on_check(sqlite3_file* file, int* out) { return real(file)->pMethods->xCheckReservedLock(real(file), out); }
int on_control(sqlite3_file* file, int what, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), what, argument);
}
int on_sector(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int on_device(sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
int on_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
int on_shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
void on_barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int on_unmap(sqlite3_file* file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

const sqlite3_io_methods kMethods = {2,           on_close,   on_read,  on_write,   on_truncate, on_sync,   on_size,
                                     on_lock,     on_unlock,  on_check, on_control, on_sector,   on_device, on_map,
                                     on_shm_lock, on_barrier, on_unmap, nullptr,    nullptr};

int on_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  std::memset(file, 0, sizeof(File) + static_cast<size_t>(below->szOsFile));
  int result = below->xOpen(below, name, real(file), flags, out);
  if (result == SQLITE_OK) file->pMethods = &kMethods;
  return result;
}

}  // namespace

Faults& install_faults() {
  static sqlite3_vfs layer = [] {
    sqlite3_initialize();
    below = sqlite3_vfs_find(nullptr);
    sqlite3_vfs out = *below;
    out.zName = "ordain-faults";
    out.szOsFile = static_cast<int>(sizeof(File)) + below->szOsFile;
    out.xOpen = on_open;
    return out;
  }();
  static const int registered = sqlite3_vfs_register(&layer, 1);
  (void)registered;
  return faults;
}

}  // namespace ordain::sqlite
