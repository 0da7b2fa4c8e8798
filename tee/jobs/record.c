/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/record.h"

#include "wire/cbor.h"

void mt_job_record_write(struct mt_writer *w, const struct mt_job_start *start, uint64_t attempt)
{
    mt_cbor_write_array(w, 13);
    mt_cbor_write_uint(w, 1);
    mt_cbor_write_uint(w, attempt);
    mt_cbor_write_text(w, mt_bytes_of_text(start->row));
    mt_cbor_write_bytes(w, mt_id_bytes(&start->id));
    mt_cbor_write_bytes(w, mt_id_bytes(&start->task));
    mt_cbor_write_bytes(w, mt_hash_bytes(&start->grantee));
    mt_cbor_write_text(w, start->function);
    mt_cbor_write_uint(w, start->function_version);
    mt_cbor_write_bytes(w, start->arguments);
    mt_cbor_write_array(w, start->inputs_count);
    for (size_t i = 0; i < start->inputs_count; i++) {
        mt_cbor_write_array(w, 2);
        mt_cbor_write_bytes(w, mt_id_bytes(&start->inputs[i].resource));
        mt_object_handle_write(w, &start->inputs[i].object);
    }
    mt_cbor_write_uint(w, start->outputs_count);
    mt_cbor_write_uint(w, start->time_limit_ms);
    mt_cbor_write_uint(w, start->memory_limit_bytes);
}

static MT_ERR parse_inputs(struct mt_reader *r, struct mt_job_start *s)
{
    uint64_t count = 0;
    MT_TRY(mt_cbor_read_array(r, MT_TASK_PARTIES_MAX, &count));
    for (uint64_t i = 0; i < count; i++) {
        uint64_t fields = 0;
        MT_TRY(mt_cbor_read_array(r, 2, &fields));
        MT_REQUIRE(fields == 2, MT_E_FORMAT, "a job's input has two fields");
        MT_TRY(mt_cbor_read_copy(
            r, (mt_span){s->inputs[i].resource.b, sizeof s->inputs[i].resource.b}));
        MT_TRY(mt_object_handle_parse(r, &s->inputs[i].object));
    }
    s->inputs_count = (size_t)count;
    return MT_OK;
}

MT_ERR mt_job_record_parse(mt_bytes in, struct mt_job_record *out)
{
    struct mt_reader r = mt_reader_over(in);
    struct mt_job_record rec = {0};
    struct mt_job_start *s = &rec.start;
    uint64_t fields = 0;
    uint64_t version = 0;
    uint64_t outputs = 0;
    MT_TRY(mt_cbor_read_array(&r, 13, &fields));
    MT_REQUIRE(fields == 13, MT_E_FORMAT, "a job's record has thirteen fields");
    MT_TRY(mt_cbor_read_uint(&r, &version));
    MT_REQUIRE(version == 1, MT_E_FORMAT, "a job's record is of another version");
    MT_TRY(mt_cbor_read_uint(&r, &rec.attempt));
    MT_TRY(mt_cbor_read_text(&r, &rec.row));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){s->id.b, sizeof s->id.b}));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){s->task.b, sizeof s->task.b}));
    MT_TRY(mt_cbor_read_copy(&r, (mt_span){s->grantee.b, sizeof s->grantee.b}));
    MT_TRY(mt_cbor_read_text(&r, &s->function));
    MT_TRY(mt_cbor_read_uint(&r, &s->function_version));
    MT_TRY(mt_cbor_read_bytes(&r, &s->arguments));
    MT_TRY(parse_inputs(&r, s));
    MT_TRY(mt_cbor_read_uint(&r, &outputs));
    MT_REQUIRE(outputs <= MT_TASK_PARTIES_MAX, MT_E_FORMAT, "a job has too many outputs");
    s->outputs_count = (size_t)outputs;
    MT_TRY(mt_cbor_read_uint(&r, &s->time_limit_ms));
    MT_TRY(mt_cbor_read_uint(&r, &s->memory_limit_bytes));
    MT_TRY(mt_read_end(&r));
    *out = rec;
    return MT_OK;
}
