/* ORDAIN_API marks what the shared libraries export. They hide everything else. */
#ifndef ORDAIN_EXPORT_H
#define ORDAIN_EXPORT_H

#if defined(__GNUC__)
#define ORDAIN_API __attribute__((visibility("default")))
#else
#define ORDAIN_API
#endif

#endif
