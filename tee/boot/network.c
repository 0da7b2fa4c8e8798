/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "boot/boot.h"

enum { WORD_BYTES = 64, BITS = 32 };

#define INTERFACE "eth0"

bool mt_boot_word(const char *line, const char *name, char *out, size_t room)
{
    size_t len = strlen(name);
    while (*line != '\0') {
        size_t word = strcspn(line, " \n");
        if (word > len && line[len] == '=' &&
            mt_bytes_start_with(mt_bytes_of_text(line), mt_bytes_of_text(name))) {
            size_t value = word - len - 1;
            if (value == 0 || value >= room) {
                return false;
            }
            memcpy(out, line + len + 1, value);
            out[value] = '\0';
            return true;
        }
        line += word;
        line += *line != '\0';
    }
    return false;
}

bool mt_boot_address(const char *text, uint32_t *address, uint32_t *mask)
{
    char number[INET_ADDRSTRLEN];
    struct in_addr a;
    unsigned bits = 0;
    size_t len = strcspn(text, "/");
    const char *digits = text + len + 1;
    if (text[len] != '/' || len >= sizeof number || *digits == '\0' || strlen(digits) > 2) {
        return false;
    }
    memcpy(number, text, len);
    number[len] = '\0';
    for (; *digits != '\0'; digits++) {
        if (*digits < '0' || *digits > '9') {
            return false;
        }
        bits = bits * 10 + (unsigned)(*digits - '0');
    }
    if (bits == 0 || bits > BITS || inet_pton(AF_INET, number, &a) != 1) {
        return false;
    }
    *address = a.s_addr;
    *mask = htonl(UINT32_MAX << (BITS - bits));
    return true;
}

static void put_address(struct sockaddr *out, uint32_t address)
{
    const struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {address}};
    memcpy(out, &in, sizeof in);
}

static MT_ERR bring_up(int fd, const char *name)
{
    struct ifreq r = {.ifr_flags = IFF_UP | IFF_RUNNING};
    memcpy(r.ifr_name, name, strlen(name));
    MT_REQUIRE(ioctl(fd, SIOCSIFFLAGS, &r) == 0, MT_E_IO, "a network interface does not come up");
    return MT_OK;
}

static MT_ERR set_address(int fd, uint32_t address, uint32_t mask)
{
    struct ifreq r = {.ifr_name = INTERFACE};
    put_address(&r.ifr_addr, address);
    MT_REQUIRE(ioctl(fd, SIOCSIFADDR, &r) == 0, MT_E_IO, "the network address cannot be set");
    put_address(&r.ifr_netmask, mask);
    MT_REQUIRE(ioctl(fd, SIOCSIFNETMASK, &r) == 0, MT_E_IO, "the network mask cannot be set");
    return bring_up(fd, INTERFACE);
}

static MT_ERR set_gateway(int fd, uint32_t gateway)
{
    struct rtentry r = {.rt_flags = RTF_UP | RTF_GATEWAY};
    put_address(&r.rt_dst, INADDR_ANY);
    put_address(&r.rt_genmask, INADDR_ANY);
    put_address(&r.rt_gateway, gateway);
    MT_REQUIRE(ioctl(fd, SIOCADDRT, &r) == 0, MT_E_IO, "the gateway cannot be set");
    return MT_OK;
}

static MT_ERR configure(int fd, const char *line)
{
    char word[WORD_BYTES];
    uint32_t address = 0;
    uint32_t mask = 0;
    struct in_addr gateway;
    MT_TRY(bring_up(fd, "lo"));
    MT_REQUIRE(mt_boot_word(line, "mesatee.address", word, sizeof word) &&
                   mt_boot_address(word, &address, &mask),
               MT_E_FORMAT, "the command line has no mesatee.address of the form 10.0.2.15/24");
    MT_TRY(set_address(fd, address, mask));
    if (!mt_boot_word(line, "mesatee.gateway", word, sizeof word)) {
        return MT_OK;
    }
    MT_REQUIRE(inet_pton(AF_INET, word, &gateway) == 1, MT_E_FORMAT,
               "mesatee.gateway of the command line is no address");
    return set_gateway(fd, gateway.s_addr);
}

MT_ERR mt_boot_network(const char *line)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    MT_REQUIRE(fd >= 0, MT_E_IO, "there is no network");
    mt_err e = configure(fd, line);
    (void)close(fd);
    return e;
}
