/* SPDX-FileCopyrightText: The MesaTEE authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sources.h"

#include <string.h>

/* tests/house/sources_test.py holds this to the rules of lib/attest and to the tables of spec/. */
static const struct mt_source sources[] = {
    /* ---- DCAP: SGX and TDX */
    {"quote-format", "quote.bin, every length in it",
     "Intel TDX DCAP Quoting Library API, quote format: header, body and signature data of version "
     "3, 4 or 5, the vendor id being Intel's"},
    {"pck-chain-format", "certification data of quote.bin, or pck_chain.pem",
     "Intel SGX PCK Certificate and CRL Profile Specification: PCK certificate, its CA, Intel SGX "
     "Root CA"},
    {"pck-chain", "the PCK chain, root_ca_crl.der, pck_crl.der",
     "RFC 5280, 6.1 and 6.3: signatures, validity, CA bits and revocation, up to the pinned root"},
    {"certificate-untrusted", "a chain of certificates",
     "RFC 5280, 6.1.3 (a)(1): each is signed by the next, the last by the trust anchor"},
    {"certificate-malformed", "a chain of certificates, and its CRLs",
     "RFC 5280, 4.1 and 5.1: the fields of a certificate and of a CRL"},
    {"certificate-not-yet-valid", "a chain of certificates, the time",
     "RFC 5280, 6.1.3 (a)(2): the validity period includes the time"},
    {"certificate-expired", "a chain of certificates, the time",
     "RFC 5280, 6.1.3 (a)(2): the validity period includes the time"},
    {"certificate-revoked", "root_ca_crl.der, pck_crl.der",
     "RFC 5280, 6.1.3 (a)(3): the certificate is not revoked"},
    {"crl-missing", "root_ca_crl.der, pck_crl.der",
     "RFC 5280, 6.3.3: a CRL of each issuer, signed by it"},
    {"crl-expired", "root_ca_crl.der, pck_crl.der, the time",
     "RFC 5280, 5.1.2.5: the next CRL is issued by nextUpdate"},
    {"pck-extension", "extension 1.2.840.113741.1.13.1 of the PCK certificate",
     "Intel SGX PCK Certificate and CRL Profile Specification, SGX extensions: PPID, TCB, PCE-ID, "
     "FMSPC"},
    {"tcb-chain-format", "tcb_info_chain.pem, qe_identity_chain.pem",
     "Intel PCS API v4, TCB-Info-Issuer-Chain: the signing certificate, then the root"},
    {"collateral-signature", "tcb_info.json with .sig, qe_identity.json with .sig",
     "Intel PCS API v4, signature: over the body's bytes without whitespace, by the TCB signing "
     "key"},
    {"tcb-info-format", "tcb_info.json",
     "Intel PCS API v4, TcbInfoV2 and TcbInfoV3: the members, and sixteen components a level"},
    {"tcb-info-kind", "tcb_info.json, quote.bin", "Intel PCS API v4, TcbInfoV3.id: SGX or TDX"},
    {"tcb-info-date", "issueDate and nextUpdate of tcb_info.json, the time",
     "Intel PCS API v4, TcbInfoV3.nextUpdate: the next one is issued by then"},
    {"fmspc", "fmspc and pceId of tcb_info.json, the PCK certificate",
     "Intel PCS API v4, TcbInfoV3.fmspc: the TCB info is of platforms with this FMSPC"},
    {"qe-identity-format", "qe_identity.json", "Intel PCS API v4, QEIdentityV2: the members"},
    {"qe-identity-kind", "qe_identity.json, quote.bin",
     "Intel PCS API v4, QEIdentityV2.id: QE or TD_QE"},
    {"qe-identity-date", "issueDate and nextUpdate of qe_identity.json, the time",
     "Intel PCS API v4, QEIdentityV2.nextUpdate: the next one is issued by then"},
    {"tdx-module", "TEE_TCB_SVN, MRSIGNERSEAM and SEAMATTRIBUTES of quote.bin, tcb_info.json",
     "Intel PCS API v4, tdxModule and tdxModuleIdentities: signer, attributes under their mask"},
    {"qe-report-signature", "QE report and its signature in quote.bin, the PCK certificate",
     "Intel TDX DCAP Quoting Library API, quote format: QE Report Signature, ECDSA by the PCK over "
     "the QE report"},
    {"attestation-key", "QE report data, attestation key and QE authentication data in quote.bin",
     "Intel TDX DCAP Quoting Library API, quote format: report data is SHA-256(ECDSA Attestation "
     "Key || QE Authentication Data), then zeros"},
    {"qe-identity", "QE report in quote.bin, qe_identity.json",
     "Intel PCS API v4, QEIdentityV2: MISCSELECT and ATTRIBUTES under their masks, MRSIGNER, "
     "ISVPRODID"},
    {"quote-signature", "header, body and signature of quote.bin",
     "Intel TDX DCAP Quoting Library API, quote format: ISV Enclave Report Signature, ECDSA over "
     "header and body by the attestation key"},
    {"platform-believed", "the PCK chain of quote.bin",
     "spec/evidence-dcap.md: what was believed once is used for the very platform alone"},
    {"collateral-window", "the time",
     "spec/evidence-dcap.md: and while all of its collateral holds"},
    {"tcb-level", "SVNs of quote.bin and of the PCK certificate, tcb_info.json, qe_identity.json",
     "Intel PCS API v4, GET TCB Info: the first level that all of the platform's SVNs reach gives "
     "the status"},
    /* ---- SEV-SNP */
    {"snp-report-format", "report.bin",
     "AMD 56860, ATTESTATION_REPORT: 1184 bytes of version 2, 3 or 5, reserved ones zero"},
    {"snp-report-signed", "SIGNING_KEY of report.bin",
     "AMD 56860, ATTESTATION_REPORT: 0 is a VCEK, 1 a VLEK"},
    {"vek-format", "vcek.* or vlek.*",
     "AMD 57230, VCEK Certificate and KDS Interface: the certificate's fields"},
    {"vek-product", "family and model of report.bin, productName of the certificate",
     "AMD 57230, VCEK Certificate and KDS Interface: extension 1.3.6.1.4.1.3704.1.2"},
    {"vek-root", "the roots of this build",
     "spec/evidence-snp.md: ARK and ASK or ASVK of each product line are pinned"},
    {"vek-validity", "vcek.* or vlek.*, ASK or ASVK, ARK, the time",
     "RFC 5280, 6.1.3 (a)(2): the validity period includes the time"},
    {"vek-chain", "vcek.* or vlek.*, ASK or ASVK, ARK",
     "AMD 57230, VCEK Certificate and KDS Interface: ARK signs ASK (ASVK), that signs VCEK (VLEK), "
     "RSASSA-PSS with SHA-384"},
    {"amd-revoked", "amd_crl.der", "RFC 5280, 6.1.3 (a)(3): the certificate is not revoked"},
    {"amd-crl", "amd_crl.der, the time",
     "RFC 5280, 6.3.3: the CRL is signed by its issuer, the ARK, and current"},
    {"snp-signature", "bytes 0 to 0x29F of report.bin, and SIGNATURE",
     "AMD 56860, ATTESTATION_REPORT: ECDSA P-384 with SHA-384 over these bytes"},
    {"vek-tcb", "REPORTED_TCB of report.bin, the certificate's extensions 1.3.6.1.4.1.3704.1.3",
     "AMD 56860, ATTESTATION_REPORT: the VCEK that signs is derived from REPORTED_TCB"},
    {"snp-tcb-order", "CURRENT_TCB, REPORTED_TCB and COMMITTED_TCB of report.bin",
     "AMD 56860, SNP_COMMIT and SNP_CONFIG: neither exceeds the current TCB"},
    {"vek-chip", "CHIP_ID of report.bin, extension 1.3.6.1.4.1.3704.1.4",
     "AMD 57230, VCEK Certificate and KDS Interface: hwID is the chip's id"},
    {"vek-cloud", "extension 1.3.6.1.4.1.3704.1.5 of vlek.*",
     "AMD 58369, VLEK Certificate: csp_id names the provider"},
    /* ---- TPM */
    {"ak-format", "ak_pub.tpmt",
     "TCG TPM 2.0 Library, Part 2, TPMT_PUBLIC: type, name algorithm, attributes, parameters, "
     "unique"},
    {"ak-attributes", "objectAttributes of ak_pub.tpmt",
     "TCG TPM 2.0 Library, Part 1, Attestation Keys: a restricted signing key signs nothing from "
     "outside that looks like its TPM's"},
    {"ak-key", "unique of ak_pub.tpmt",
     "spec/evidence-tpm.md: RSA from 2048 bits, or a point on P-256 or P-384"},
    {"tpm-quote-format", "quote.msg",
     "TCG TPM 2.0 Library, Part 2, TPMS_ATTEST: TPM_GENERATED, TPM_ST_ATTEST_QUOTE, and nothing "
     "behind"},
    {"tpm-signature-format", "quote.sig",
     "TCG TPM 2.0 Library, Part 2, TPMT_SIGNATURE: scheme, hash, value"},
    {"tpm-signature-scheme", "scheme of quote.sig and of ak_pub.tpmt",
     "TCG TPM 2.0 Library, Part 2, TPMT_ASYM_SCHEME: a restricted key has one scheme"},
    {"tpm-signature", "quote.msg, quote.sig, ak_pub.tpmt",
     "TCG TPM 2.0 Library, Part 1, Attestation: the signature is over the bytes of TPMS_ATTEST"},
    {"pcr-values", "pcrs_sha256.bin, the selection in quote.msg",
     "TCG TPM 2.0 Library, Part 2, TPML_PCR_SELECTION: the banks and registers that are quoted"},
    {"pcr-digest", "pcrDigest of quote.msg, pcrs_sha256.bin",
     "TCG TPM 2.0 Library, Part 2, TPMS_QUOTE_INFO: the digest of the selected PCRs, by the hash "
     "of the signature"},
    {"pcr-bank", "the selection in quote.msg",
     "spec/evidence-tpm.md: no claim rests on the SHA-1 bank"},
    {"ak-chain-format", "ak_cert.*, ak_chain.pem", "RFC 5280, 4.1: the fields of a certificate"},
    {"ak-certificate", "ak_cert.*, ak_pub.tpmt", "RFC 5280, 4.1.2.7: the subject's public key"},
    {"ak-validity", "ak_cert.*, ak_chain.pem, the time",
     "RFC 5280, 6.1.3 (a)(2): the validity period includes the time"},
    {"event-log-format", "eventlog.bin, or CCEL",
     "TCG PC Client Platform Firmware Profile, event log: TCG_EfiSpecIDEvent, then TCG_PCR_EVENT2 "
     "with a digest for each bank"},
    {"event-log", "eventlog.bin and the PCRs, or CCEL and the RTMRs",
     "TCG PC Client Platform Firmware Profile, event log: replaying the log's digests gives the "
     "registers"},
    /* ---- Azure */
    {"azure-hardware", "hcl_report.bin, or snp_report.bin or quote.bin",
     "spec/evidence-azure.md: the hardware's part is of SEV-SNP or TDX"},
    {"hcl-report", "hcl_report.bin, var_data.json",
     "spec/evidence-azure.md, HCL report: its head, the hardware's report, the runtime claims"},
    {"td-report", "TDREPORT in hcl_report.bin, quote.bin",
     "Intel TDX Module ABI, TDREPORT_STRUCT: hashes of TEE_TCB_INFO and TDINFO, and the quote's "
     "fields"},
    {"runtime-claims-hash", "report data of the hardware's report, var_data.json",
     "spec/evidence-azure.md: report data is SHA-256 of the runtime claims, then zeros"},
    {"azure-vmpl", "VMPL of snp_report.bin",
     "AMD 56860, ATTESTATION_REPORT: VMPL is the level that asked; the paravisor's is 0"},
    {"runtime-claims", "var_data.json", "RFC 7517, 4: one key HCLAkPub, RSA, key_ops sign"},
    /* ---- every kind */
    {"evidence-kind", "what is given, by its form",
     "spec/evidence-files.md: the kind goes by the form alone"},
    {"evidence-expected", "what is given, --format",
     "spec/evidence-files.md: another kind than was asked for is refused"},
    {"evidence-format", "the bundle, or the soft evidence, that a node shows",
     "spec/evidence-node.md and spec/evidence-soft.md: the encoding"},
    {"evidence-signature", "soft evidence", "spec/evidence-soft.md: signed by the platform key"},
    {"measurement-log", "the node's own log",
     "spec/evidence-soft.md, Measurement log: each digest is of its event"},
    {"report-data-length", "--report-data",
     "spec/evidence-files.md: as many bytes as the kind carries"},
    {"report-data", "report data of the evidence (extraData of a TPM's), and what is expected",
     "RFC 9334, 10.2: evidence is bound to what the verifier computed, fresh or a key"},
    {"platform-unknown", "the key that signed the evidence, the policy, certificates",
     "RFC 9334, 7.4: who appraises needs a trust anchor for the attester's key"},
    /* ---- appraisal */
    {"policy-missing", "--policy",
     "RFC 9334, 8.5: evidence is appraised by a policy of the one who relies on it"},
    {"kind-unnamed", "kind of evidence, hardware.kinds of the policy",
     "spec/policy.md: what is not named is refused"},
    {"level-minimum", "level, minimum_level of the policy", "spec/policy.md: the levels of README"},
    {"measurement-unknown", "measurement, the policy's and its auditors' lists",
     "spec/policy.md: default deny"},
    {"configuration-unknown", "configuration, configurations of the policy",
     "spec/policy.md: one that is named, or any if none is"},
    {"auditors-missing", "--auditors",
     "spec/auditors-list.md: a policy with auditors wants their list"},
    {"auditors-format", "the auditors' list", "spec/auditors-list.md: the encoding"},
    {"auditors-quorum", "signatures of the auditors' list",
     "spec/auditors-list.md: threshold distinct auditors"},
    {"auditors-expired", "validity of the auditors' list, the time",
     "spec/auditors-list.md: from not-before to not-after"},
    {"auditors-sequence", "sequence of the auditors' list, and of the last one seen",
     "spec/auditors-list.md: it never goes back"},
    {"debug", "ATTRIBUTES or TDATTRIBUTES, bit DEBUG; POLICY bit 19",
     "spec/policy.md, allow: the memory of a debugged guest is open"},
    {"migratable", "TDATTRIBUTES, bit MIGRATABLE; POLICY bit 18",
     "spec/policy.md, allow: it may move to a machine that nobody appraised"},
    {"service-td", "MRSERVICETD", "spec/policy.md, allow: a service TD may reach into it"},
    {"sept-ve", "TDATTRIBUTES, bit SEPT_VE_DISABLE",
     "spec/policy.md, allow: the host may take a private page away, and the guest handles the "
     "exception"},
    {"reserved-attributes", "attributes",
     "spec/policy.md, allow: what a new flag means is not known here"},
    {"provisional-firmware", "CURRENT_TCB and COMMITTED_TCB",
     "spec/policy.md, allow: firmware that is not committed may be rolled back"},
    {"vmpl", "VMPL", "spec/policy.md, allow: who runs at a lower level reads the guest"},
    {"unclean-stop", "safe of TPMS_CLOCK_INFO",
     "spec/policy.md, allow: the clock may have gone back"},
    {"tcb-status", "TCB status, hardware.tcb_statuses of the policy",
     "spec/policy.md: UpToDate, if the policy names none"},
    {"tcb-advisory", "advisories, hardware.advisories of the policy",
     "spec/policy.md: each that is open is tolerated by name"},
    {"tcb-date", "TCB date, hardware.minimum_tcb_date of the policy", "spec/policy.md: not older"},
    {"minimum-version", "numbers of the evidence, hardware.minimums of the policy",
     "spec/policy.md: each is there and reaches its minimum"},
    {"platform-foreign", "platform, hardware.platforms of the policy",
     "spec/policy.md: one that is named, or any if none is"},
};

const struct mt_source *mt_source_of(const char *rule)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (strcmp(sources[i].rule, rule) == 0) {
            return &sources[i];
        }
    }
    return NULL;
}
