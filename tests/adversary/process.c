/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adversary/peer.h"
#include "adversary/tap.h"
#include "base/assert.h"
#include "mesatee/entropy.h"

/* process BUILD: what the kernel says of a node that runs, and how it ends when it is told to. */
enum { BODY_BYTES = 400000 };

static struct node node;

static void status_is(const char *name, const char *wanted, const char *sentence)
{
    char text[128];
    node_status_line(&node, name, text, sizeof text);
    (void)tap_ok(strcmp(text, wanted) == 0, sentence, "%s is %s", name, text);
}

/* Who made the socket that listens on this port: the kernel remembers. UINT32_MAX: nobody. */
static unsigned maker_of_port(uint16_t port)
{
    char line[256];
    unsigned maker = UINT32_MAX;
    FILE *f = fopen("/proc/net/tcp", "re");
    MT_ASSERT(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        /* sl local:port remote:port state tx:rx tr:when retransmits uid */
        char *rest = line;
        char *field[8] = {NULL};
        for (size_t i = 0; i < 8; i++) {
            field[i] = strtok_r(i == 0 ? line : NULL, " \n", &rest);
        }
        const char *colon = field[1] != NULL ? strchr(field[1], ':') : NULL;
        if (colon != NULL && field[7] != NULL && strcmp(field[3], "0A") == 0 &&
            strtoul(colon + 1, NULL, 16) == port) {
            maker = (unsigned)strtoul(field[7], NULL, 10);
        }
    }
    (void)fclose(f);
    return maker;
}

static void privileges(void)
{
    char path[64];
    char uid[128];
    struct stat st;
    unsigned id = 0;
    node_status_line(&node, "Uid", uid, sizeof uid);
    id = (unsigned)strtoul(uid, NULL, 10);
    if (geteuid() == 0) {
        char same[128];
        (void)snprintf(same, sizeof same, "%u\t%u\t%u\t%u", id, id, id, id);
        (void)tap_ok(id != 0 && strcmp(uid, same) == 0,
                     "a node that root started is root no more, in no way", "%s", uid);
        status_is("Groups", "", "it is in no group of root's");
        status_is("CapPrm", "0000000000000000", "it may do nothing of what root may,");
        status_is("CapEff", "0000000000000000", "and does nothing of it");
        (void)tap_ok(maker_of_port(node.port) == id && maker_of_port(node.probe_port) == id,
                     "and was so no more before it had an ear for the outside", "made by %u, %u",
                     maker_of_port(node.port), maker_of_port(node.probe_port));
    } else {
        tap_skip("a node that root started is root no more", "we are not root");
    }
    status_is("NoNewPrivs", "1", "nothing that it starts could have more rights");
    /* The files of a process that may not be dumped are root's, whoever runs it (proc(5)). */
    (void)snprintf(path, sizeof path, "/proc/%d/environ", (int)node.pid);
    MT_ASSERT(stat(path, &st) == 0);
    (void)tap_ok(st.st_uid == 0, "nobody but root looks into its memory, and no core is made of it",
                 "%u", (unsigned)st.st_uid);
}

/* Status of a plain GET on the probe port; 0: nobody answers. */
static unsigned probe(const char *path)
{
    char text[256];
    char said[1024] = "";
    ssize_t all = 0;
    ssize_t n = 1;
    int fd = peer_dial(node.probe_port, 0);
    if (fd < 0) {
        return 0;
    }
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nhost: x\r\n\r\n", path);
    (void)send(fd, text, (size_t)len, MSG_NOSIGNAL);
    while (n > 0 && (size_t)all + 1 < sizeof said) {
        n = recv(fd, said + all, sizeof said - 1 - (size_t)all, 0);
        all += n > 0 ? n : 0;
    }
    (void)close(fd);
    return strncmp(said, "HTTP/1.1 ", 9) == 0 ? (unsigned)strtoul(said + 9, NULL, 10) : 0;
}

static void drain(void)
{
    static uint8_t half[BODY_BYTES / 2];
    struct peer uploads;
    struct peer idle;
    memset(half, '1', sizeof half);
    (void)tap_ok(probe("/livez") == 200 && probe("/readyz") == 200, "the node is alive and ready",
                 "%u, %u", probe("/livez"), probe("/readyz"));
    MT_ASSERT(peer_open(&idle, &node, node.admin));
    MT_ASSERT(peer_open(&uploads, &node, node.admin));
    MT_ASSERT(peer_say(&uploads,
                       "POST /mesatee/v1/data?name=late HTTP/1.1\r\nhost: mesatee\r\n"
                       "expect: 100-continue\r\ncontent-length: %d\r\n\r\n",
                       BODY_BYTES));
    MT_ASSERT(peer_answer(&uploads) == 100);
    MT_ASSERT(peer_send(&uploads, MT_BYTES_OF(half)));
    MT_ASSERT(kill(node.pid, SIGTERM) == 0);
    (void)tap_ok(peer_is_cut(&idle), "told to end, it lets those go who wait for nothing",
                 "it does not");
    (void)tap_ok(probe("/readyz") == 503 && probe("/livez") == 200,
                 "it is ready no more, and still alive", "%u, %u", probe("/readyz"),
                 probe("/livez"));
    int fd = peer_dial(node.port, 0);
    (void)tap_ok(fd < 0, "nobody new is let in", "somebody is");
    MT_ASSERT(peer_send(&uploads, MT_BYTES_OF(half)));
    unsigned status = peer_answer(&uploads);
    (void)tap_ok(status == 201, "the upload that was under way is taken and answered", "%u %s",
                 status, uploads.check);
    (void)tap_ok(peer_is_cut(&uploads), "and then its connection ends", "it does not");
    (void)tap_ok(node_stop(&node) == 0, "and so does the node, with status 0", "it does not");
    peer_close(&uploads);
    peer_close(&idle);
    node_start(&node, "");
    MT_ASSERT(peer_open(&uploads, &node, node.admin));
    status = peer_ask(&uploads, "GET /mesatee/v1/data HTTP/1.1\r\nhost: mesatee\r\n\r\n");
    (void)tap_ok(status == 200 && peer_has(&uploads, "\"name\":\"late\""),
                 "what it answered last is there when it comes back", "%u", status);
    peer_close(&uploads);
}

int main(int argc, char **argv)
{
    MT_ASSERT(argc == 2);
    MT_ASSERT(!mt_failed(mt_entropy_open()));
    node_begin(&node, argv[1]);
    node_start(&node, "");
    privileges();
    drain();
    node_end(&node);
    mt_entropy_close();
    return tap_done();
}
