/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Makers of devices on a machine that has the semantics of the kernel, and evidence of real
 * machines (tests/vectors, the program's argument). */
#include <pthread.h>
#include <string.h>

#include "attest/dcap_quote.h"
#include "attest/files_test.h"
#include "attest/snp_report.h"
#include "crypto/context.h"
#include "platform/makers.h"
#include "platform/posix/device_io.h"
#include "platform/process.h"
#include "platform/sim/machine.h"
#include "unit/runner.h"

#define OK(call_) MT_ASSERT(!mt_failed(call_))

static struct file snp_file;
static struct file vlek_file;
static struct file tdx_file;
static struct file sgx_file;
static uint8_t table[128];
static struct mt_sim_evidence snp;
static struct mt_sim_evidence tdx;
static struct mt_sim_evidence sgx;

static struct mt_sim_machine *machine;
static struct mt_sim_world *world;
static struct mt_device_io *io;
static struct mt_device_evidence got;
static const mt_bytes no_level = {NULL, 0};
static const uint8_t asked[MT_REPORT_DATA_LEN] = {1, 2, 3, [63] = 64};

static bool is_code(mt_err e, enum mt_code code)
{
    return mt_failed(e) && e.fault->code == code;
}

static void put_entry(struct mt_writer *w, mt_bytes guid, uint32_t offset, uint32_t len)
{
    mt_write_bytes(w, guid);
    mt_write_u32le(w, offset);
    mt_write_u32le(w, len);
}

/* A host's table: a VCEK and a VLEK, and a certificate that is nobody's business. */
static mt_bytes make_table(void)
{
    static const uint8_t vcek[] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                   0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
    static const uint8_t vlek[] = {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
                                   0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1};
    static const uint8_t other[16] = {1};
    struct mt_writer w = mt_writer_over((mt_span){table, sizeof table});
    put_entry(&w, MT_BYTES_OF(other), 96, 1);
    put_entry(&w, MT_BYTES_OF(vlek), 97, 8);
    put_entry(&w, MT_BYTES_OF(vcek), 105, 8);
    put_entry(&w, (mt_bytes){(const uint8_t[16]){0}, 16}, 0, 0);
    mt_write_bytes(&w, MT_LITERAL("?the vlekthe vcek"));
    return mt_write_done(&w);
}

static struct mt_sim_evidence of_quote(const char *set, struct file *f)
{
    struct mt_dcap_quote q;
    struct mt_sim_evidence e = {.quote = file_read(set, "quote.bin", f)};
    OK(mt_dcap_quote_parse(e.quote, &q));
    mt_bytes at = q.body == MT_DCAP_SGX ? q.sgx.report_data : q.td.report_data;
    e.report_data_at = (size_t)(at.ptr - e.quote.ptr);
    return e;
}

static void load(void)
{
    snp = (struct mt_sim_evidence){file_read("snp/milan_v3", "report.bin", &snp_file), 0x50,
                                   make_table()};
    tdx = of_quote("dcap/tdx_v4_gcp", &tdx_file);
    sgx = of_quote("dcap/sgx_v3_processor", &sgx_file);
}

static void begin(const char *tsm, bool has_guest, const char *gramine)
{
    machine = mt_sim_machine_new();
    world = mt_sim_machine_world(machine);
    io = mt_sim_machine_io(machine);
    *world = (struct mt_sim_world){
        .tsm_provider = tsm,
        .has_sev_guest = has_guest,
        .gramine = gramine,
        .tsm = tsm != NULL && strcmp(tsm, "tdx_guest") == 0 ? tdx : snp,
        .snp = snp,
        .sgx = sgx,
        .chip = 7,
        .measurement = 8,
        .policy = 9,
    };
    mt_device_evidence_init(&got);
}

/* Whatever happened, nothing of ours is left with the kernel. */
static void end(void)
{
    MT_ASSERT(mt_sim_machine_directories(machine) == 0);
    MT_ASSERT(mt_sim_machine_descriptors(machine) == 0);
    mt_device_evidence_free(&got);
    mt_sim_machine_free(&machine);
}

static mt_err ask(struct mt_device *d)
{
    mt_device_evidence_free(&got);
    mt_device_evidence_init(&got);
    return mt_device_evidence(d, asked, &got);
}

static bool is_vek(mt_bytes wanted)
{
    return mt_bytes_equal(mt_buf_bytes(&got.vek), wanted);
}

static void configfs_gives_reports_of_snp_with_the_hosts_certificate(void)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    struct mt_snp_report r;
    begin("sev_guest", false, NULL);
    OK(mt_tsm_new(io, &d));
    OK(ask(d));
    MT_ASSERT(d->kind == MT_EVIDENCE_SNP && got.kind == MT_EVIDENCE_SNP);
    OK(mt_snp_report_parse(mt_buf_bytes(&got.quote), &r));
    MT_ASSERT(mt_bytes_equal(r.report_data, MT_BYTES_OF(asked)));
    MT_ASSERT(is_vek(MT_LITERAL("the vcek")));
    MT_ASSERT(!mt_device_derives(d) && !mt_device_seals(d) && !mt_device_counts(d));
    end();
}

static void configfs_gives_quotes_of_tdx(void)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    struct mt_dcap_quote q;
    begin("tdx_guest", false, NULL);
    OK(mt_tsm_new(io, &d));
    OK(ask(d));
    MT_ASSERT(d->kind == MT_EVIDENCE_TDX && got.kind == MT_EVIDENCE_TDX && got.vek.len == 0);
    OK(mt_dcap_quote_parse(mt_buf_bytes(&got.quote), &q));
    MT_ASSERT(mt_bytes_equal(q.td.report_data, MT_BYTES_OF(asked)));
    end();
}

static void what_configfs_lost_without_a_word_is_written_again(void)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    begin("sev_guest", false, NULL);
    OK(mt_tsm_new(io, &d));
    world->loses_commits = 1;
    OK(ask(d));
    world->loses_commits = 100;
    MT_ASSERT(is_code(ask(d), MT_E_BUSY));
    MT_ASSERT(world->loses_commits > 90); /* tried again, and not for ever */
    end();
}

static void a_report_that_another_process_wrote_to_is_not_taken(void)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    begin("sev_guest", false, NULL);
    OK(mt_tsm_new(io, &d));
    world->rivals = 1;
    OK(ask(d));
    MT_ASSERT(world->rivals == 0);
    world->rivals = 100; /* even of the same bytes: the certificates may be another report's */
    MT_ASSERT(is_code(ask(d), MT_E_CONFLICT));
    end();
}

static void evidence_about_other_bytes_is_refused_from_every_device(void)
{
    typedef mt_err maker(struct mt_device_io *, struct mt_device **);
    static maker *const makers[] = {mt_tsm_new, mt_sev_guest_new, mt_gramine_new};
    begin("tdx_guest", true, "dcap");
    world->lies = true;
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        MT_DEFER(mt_device_close) struct mt_device *d = NULL;
        OK(makers[i](io, &d));
        MT_ASSERT(is_code(ask(d), MT_E_PROOF));
    }
    end();
}

static void evidence_of_no_known_form_is_refused_from_every_device(void)
{
    typedef mt_err maker(struct mt_device_io *, struct mt_device **);
    static maker *const makers[] = {mt_tsm_new, mt_sev_guest_new, mt_gramine_new};
    begin("tdx_guest", true, "dcap");
    world->tsm = sgx; /* a quote, and of another technology */
    world->sgx = tdx;
    world->snp = (struct mt_sim_evidence){{tdx_file.b, MT_SNP_REPORT_LEN}, 0x50, {NULL, 0}};
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        MT_DEFER(mt_device_close) struct mt_device *d = NULL;
        OK(makers[i](io, &d));
        MT_ASSERT(mt_failed(ask(d)));
        MT_ASSERT(got.quote.len == 0);
    }
    end();
}

static void an_unknown_provider_of_reports_is_refused_by_name(void)
{
    struct mt_device *d = NULL;
    begin("cca_guest", false, NULL);
    MT_ASSERT(is_code(mt_tsm_new(io, &d), MT_E_FORMAT) && d == NULL);
    end();
}

static void sev_guest_gives_reports_with_the_certificate_of_the_key_that_signed(void)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    begin(NULL, true, NULL);
    OK(mt_sev_guest_new(io, &d));
    OK(ask(d));
    MT_ASSERT(got.kind == MT_EVIDENCE_SNP && got.quote.len == MT_SNP_REPORT_LEN);
    MT_ASSERT(is_vek(MT_LITERAL("the vcek")));
    vlek_file = snp_file;
    vlek_file.b[0x48] |= MT_SNP_VLEK << 2;
    world->snp.quote.ptr = vlek_file.b;
    OK(ask(d));
    MT_ASSERT(is_vek(MT_LITERAL("the vlek")));
    end();
}

static void a_host_without_certificates_or_with_too_many_gives_a_report_all_the_same(void)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    begin(NULL, true, NULL);
    OK(mt_sev_guest_new(io, &d));
    OK(ask(d)); /* leaves a table behind, which is not the next report's */
    world->snp.certs = (mt_bytes){NULL, 0};
    OK(ask(d));
    MT_ASSERT(got.vek.len == 0);
    world->has_small_certs_room = true;
    OK(ask(d));
    MT_ASSERT(got.vek.len == 0 && got.quote.len == MT_SNP_REPORT_LEN);
    world->has_small_certs_room = false;
    world->snp.certs = MT_LITERAL("a table that is none, and does not end"); /* nor this */
    OK(ask(d));
    MT_ASSERT(got.vek.len == 0);
    end();
}

static void a_lost_key_to_the_firmware_is_said_by_name_and_is_for_good(void)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    uint8_t key[MT_DEVICE_SECRET_LEN];
    begin(NULL, true, NULL);
    OK(mt_sev_guest_new(io, &d));
    world->fails_transport = true;
    MT_ASSERT(is_code(ask(d), MT_E_IO));
    world->fails_transport = false;
    mt_err e = ask(d);
    MT_ASSERT(is_code(e, MT_E_CLOSED) && strstr(e.fault->what, "restart") != NULL);
    MT_ASSERT(is_code(mt_device_derive(d, MT_LITERAL("c"), no_level, (mt_span){key, sizeof key}),
                      MT_E_CLOSED));
    end();
}

static void what_the_firmware_refuses_is_no_report_and_no_key(void)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    uint8_t key[MT_DEVICE_SECRET_LEN];
    begin(NULL, true, NULL);
    OK(mt_sev_guest_new(io, &d));
    world->firmware_status = 0x16;
    MT_ASSERT(is_code(ask(d), MT_E_IO));
    MT_ASSERT(is_code(mt_device_derive(d, MT_LITERAL("c"), no_level, (mt_span){key, sizeof key}),
                      MT_E_IO));
    end();
}

/* A level is the report's, and a key of one that the firmware has not come to is refused as such.
 */
static void a_level_is_what_the_firmware_was_never_taken_back_below(void)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    MT_DEFER(mt_device_close) struct mt_device *enclave = NULL;
    struct mt_buf level = mt_buf_of_max(MT_DEVICE_LEVEL_LEN_MAX);
    struct mt_snp_report r;
    bool is_current = true;
    uint8_t key[MT_DEVICE_SECRET_LEN];
    const mt_span out = {key, sizeof key};
    begin(NULL, true, "dcap");
    OK(mt_sev_guest_new(io, &d));
    OK(mt_device_level(d, &level));
    OK(mt_snp_report_parse(snp.quote, &r));
    MT_ASSERT(level.len == 12 &&
              mt_bytes_equal((mt_bytes){level.ptr, MT_SNP_TCB_LEN}, r.committed_tcb));
    OK(mt_device_is_current(d, mt_buf_bytes(&level), &is_current));
    MT_ASSERT(is_current);
    OK(mt_device_is_current(d, no_level, &is_current));
    MT_ASSERT(!is_current);
    MT_ASSERT(
        is_code(mt_device_derive(d, MT_LITERAL("c"), mt_buf_bytes(&level), out), MT_E_DENIED));
    memcpy(world->committed_tcb, r.committed_tcb.ptr, sizeof world->committed_tcb);
    world->guest_svn = r.guest_svn;
    OK(mt_device_derive(d, MT_LITERAL("c"), mt_buf_bytes(&level), out));
    level.len--;
    MT_ASSERT(mt_failed(mt_device_derive(d, MT_LITERAL("c"), mt_buf_bytes(&level), out)));
    OK(mt_gramine_new(io, &enclave));
    mt_buf_drop(&level, level.len);
    OK(mt_device_level(enclave, &level));
    MT_ASSERT(level.len == 0);
    MT_ASSERT(
        is_code(mt_device_derive(enclave, MT_LITERAL("c"), MT_LITERAL("l"), out), MT_E_FORMAT));
    mt_buf_free(&level);
    end();
}

struct key {
    uint8_t b[MT_DEVICE_SECRET_LEN];
};

static struct key key_of(struct mt_device *d, mt_bytes context)
{
    struct key k = {{0}};
    OK(mt_device_derive(d, context, no_level, (mt_span){k.b, sizeof k.b}));
    return k;
}

static bool is_same(struct key a, struct key b)
{
    return mt_bytes_equal(MT_BYTES_OF(a), MT_BYTES_OF(b));
}

static void check_derives(struct mt_device *d)
{
    struct key first = key_of(d, MT_LITERAL("one slot"));
    MT_ASSERT(is_same(first, key_of(d, MT_LITERAL("one slot"))));
    MT_ASSERT(!is_same(first, key_of(d, MT_LITERAL("another"))));
    world->measurement++;
    MT_ASSERT(!is_same(first, key_of(d, MT_LITERAL("one slot"))));
    world->measurement--;
    world->chip++;
    MT_ASSERT(!is_same(first, key_of(d, MT_LITERAL("one slot"))));
    world->chip--;
    MT_ASSERT(is_same(first, key_of(d, MT_LITERAL("one slot"))));
}

static void derived_keys_are_this_chips_this_codes_and_this_contexts(void)
{
    MT_DEFER(mt_device_close) struct mt_device *guest = NULL;
    MT_DEFER(mt_device_close) struct mt_device *enclave = NULL;
    begin(NULL, true, "dcap");
    OK(mt_sev_guest_new(io, &guest));
    check_derives(guest);
    struct key first = key_of(guest, MT_LITERAL("c"));
    world->policy ^= 1U << 19; /* the host starts it anew, with debugging */
    MT_ASSERT(!is_same(first, key_of(guest, MT_LITERAL("c"))));
    OK(mt_gramine_new(io, &enclave));
    check_derives(enclave);
    end();
}

static void *ask_often(void *state)
{
    enum { ROUNDS = 25 };
    uint8_t mine[MT_REPORT_DATA_LEN];
    struct mt_device *d = NULL;
    memset(mine, *(uint8_t *)state, sizeof mine);
    OK(mt_gramine_new(io, &d));
    for (size_t i = 0; i < ROUNDS; i++) {
        MT_DEFER(mt_device_evidence_free) struct mt_device_evidence e;
        mt_device_evidence_init(&e);
        OK(mt_device_evidence(d, mine, &e));
    }
    mt_device_close(&d);
    return NULL;
}

static void two_threads_of_an_enclave_each_get_their_own_quote(void)
{
    pthread_t other;
    uint8_t one = 1;
    uint8_t two = 2;
    begin(NULL, false, "dcap");
    MT_ASSERT(pthread_create(&other, NULL, ask_often, &one) == 0);
    (void)ask_often(&two);
    (void)pthread_join(other, NULL);
    end();
}

static void a_device_is_there_once_it_has_shown_evidence(void)
{
    static const struct {
        const char *tsm;
        bool has_guest;
        const char *gramine;
        enum mt_evidence_kind kind;
        bool derives;
        bool measures_process;
    } cases[] = {
        {NULL, false, "dcap", MT_EVIDENCE_SGX, true, true},
        {"sev_guest", true, NULL, MT_EVIDENCE_SNP, true, false},
        {"sev_guest", false, NULL, MT_EVIDENCE_SNP, false, false},
        {"tdx_guest", false, "none", MT_EVIDENCE_TDX, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        MT_DEFER(mt_device_close) struct mt_device *d = NULL;
        begin(cases[i].tsm, cases[i].has_guest, cases[i].gramine);
        OK(mt_device_probe(io, &d));
        MT_ASSERT(d->kind == cases[i].kind && mt_device_derives(d) == cases[i].derives);
        MT_ASSERT(mt_device_measures_process(d) == cases[i].measures_process);
        OK(ask(d));
        end();
    }
}

static void what_only_bears_a_devices_name_is_passed_over_or_named(void)
{
    MT_DEFER(mt_device_close) struct mt_device *d = NULL;
    begin(NULL, false, NULL);
    MT_ASSERT(is_code(mt_device_probe(io, &d), MT_E_NOTFOUND));
    end();
    begin("tdx_guest", true, NULL);
    world->firmware_status = 1; /* it answers to its name, and gives nothing */
    OK(mt_device_probe(io, &d));
    MT_ASSERT(d->kind == MT_EVIDENCE_TDX);
    mt_device_close(&d);
    world->lies = true;
    MT_ASSERT(is_code(mt_device_probe(io, &d), MT_E_IO) && d == NULL);
    end();
}

static void the_kernels_own_answers_have_names(void)
{
    MT_DEFER(mt_buf_free) struct mt_buf text = mt_buf_of_max(4096);
    struct mt_device_io *real = mt_device_io_posix();
    int fd = -1;
    OK(mt_io_get(real, "/proc/self/comm", &text));
    MT_ASSERT(text.len > 1 && text.ptr[text.len - 1] == '\n');
    OK(mt_io_put(real, "/dev/null", MT_LITERAL("gone")));
    MT_ASSERT(is_code(mt_io_get(real, "/proc/self/none", &text), MT_E_NOTFOUND));
    MT_ASSERT(is_code(mt_io_put(real, "/dev/full", MT_LITERAL("x")), MT_E_IO));
    MT_ASSERT(is_code(real->ops->make_dir(real, "/proc"), MT_E_CONFLICT));
    MT_ASSERT(is_code(real->ops->remove_dir(real, "/proc/none"), MT_E_NOTFOUND));
    OK(real->ops->open(real, "/dev/null", MT_IO_BOTH, &fd));
    MT_ASSERT(is_code(real->ops->ioctl(real, fd, 0, NULL), MT_E_CLOSED));
    real->ops->close(real, fd);
}

int main(int argc, char **argv)
{
    const struct mt_test tests[] = {
        MT_TEST(configfs_gives_reports_of_snp_with_the_hosts_certificate),
        MT_TEST(configfs_gives_quotes_of_tdx),
        MT_TEST(what_configfs_lost_without_a_word_is_written_again),
        MT_TEST(a_report_that_another_process_wrote_to_is_not_taken),
        MT_TEST(evidence_about_other_bytes_is_refused_from_every_device),
        MT_TEST(evidence_of_no_known_form_is_refused_from_every_device),
        MT_TEST(an_unknown_provider_of_reports_is_refused_by_name),
        MT_TEST(sev_guest_gives_reports_with_the_certificate_of_the_key_that_signed),
        MT_TEST(a_host_without_certificates_or_with_too_many_gives_a_report_all_the_same),
        MT_TEST(a_lost_key_to_the_firmware_is_said_by_name_and_is_for_good),
        MT_TEST(what_the_firmware_refuses_is_no_report_and_no_key),
        MT_TEST(a_level_is_what_the_firmware_was_never_taken_back_below),
        MT_TEST(derived_keys_are_this_chips_this_codes_and_this_contexts),
        MT_TEST(two_threads_of_an_enclave_each_get_their_own_quote),
        MT_TEST(a_device_is_there_once_it_has_shown_evidence),
        MT_TEST(what_only_bears_a_devices_name_is_passed_over_or_named),
        MT_TEST(the_kernels_own_answers_have_names),
    };
    MT_ASSERT(argc == 2);
    files_folder = argv[1];
    OK(mt_crypto_init(mt_process_entropy, NULL));
    load();
    int result = mt_test_run(tests, sizeof tests / sizeof *tests);
    mt_crypto_done();
    return result;
}
