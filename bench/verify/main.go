// The peers of bench/verify.c and of tests/differential: go-tdx-guest and go-sev-guest.
//
//	verify bench VECTORS SET    a line with a number on stdin is answered by the microseconds of as many verifications, each
//	verify judge VECTORS SET... a line "SET FILE=HEX..." is answered by "yes" or "no" and why, of the set with those files
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/kds"
	spb "github.com/google/go-sev-guest/proto/sevsnp"
	snp "github.com/google/go-sev-guest/verify"
	tdx "github.com/google/go-tdx-guest/verify"
)

type set struct {
	files map[string][]byte
	at    time.Time
}

func (s *set) file(names ...string) []byte {
	for _, name := range names {
		if b, ok := s.files[name]; ok {
			return b
		}
	}
	return nil
}

func load(folder string) (*set, error) {
	s := &set{files: map[string][]byte{}}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if s.files[e.Name()], err = os.ReadFile(filepath.Join(folder, e.Name())); err != nil {
			return nil, err
		}
	}
	var expected struct {
		ReferenceTime time.Time `json:"reference_time"`
	}
	err = json.Unmarshal(s.files["expected.json"], &expected)
	s.at = expected.ReferenceTime
	return s, err
}

// The quote alone: version 0.3.1 compares the FMSPC of a certificate, in small letters, with that of Intel's list, which has
// capitals, and so refuses the collateral of every platform whose number has letters.
func verifyTdx(s *set) error {
	return tdx.RawTdxQuote(s.file("quote.bin"), &tdx.Options{Now: s.at})
}

// Reports of version 2 leave the product line to the certificate.
func productOf(der []byte) (*spb.SevProduct, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	extensions, err := kds.VcekCertificateExtensions(cert)
	if err != nil {
		return nil, err
	}
	return kds.ParseProductName(extensions.ProductName, abi.VcekReportSigner)
}

func verifySnp(s *set) error {
	der := s.file("vcek.der", "vcek.pem", "vlek.der", "vlek.pem")
	if block, _ := pem.Decode(der); block != nil {
		der = block.Bytes
	}
	report, err := abi.ReportToProto(s.file("report.bin"))
	if err != nil {
		return err
	}
	var product *spb.SevProduct
	if report.GetVersion() < 3 {
		if product, err = productOf(der); err != nil {
			return err
		}
	}
	chain := &spb.CertificateChain{VcekCert: der}
	if info, err := abi.ParseSignerInfo(report.GetSignerInfo()); err == nil && info.SigningKey == abi.VlekReportSigner {
		chain = &spb.CertificateChain{VlekCert: der}
	}
	return snp.SnpAttestation(&spb.Attestation{Report: report, CertificateChain: chain, Product: product},
		&snp.Options{DisableCertFetching: true, Now: s.at, Product: product})
}

func verify(s *set) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if s.file("report.bin") != nil {
		return verifySnp(s)
	}
	if q := s.file("quote.bin"); len(q) > 2 && q[0] < 4 {
		return errors.New("SGX quotes are not for this library")
	}
	return verifyTdx(s)
}

// The largest resident set of this program: what getrusage says was inherited from whoever started it.
func peakKib() (kib int) {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		_, _ = fmt.Sscanf(line, "VmHWM: %d kB", &kib)
	}
	return kib
}

func cpuUs() int64 {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return (r.Utime.Sec+r.Stime.Sec)*1000000 + r.Utime.Usec + r.Stime.Usec
}

func bench(s *set, in *bufio.Scanner) error {
	if err := verify(s); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "ready")
	for in.Scan() {
		count, err := strconv.Atoi(in.Text())
		if err != nil {
			return err
		}
		before := cpuUs()
		for range count {
			if err := verify(s); err != nil {
				return err
			}
		}
		fmt.Fprintln(stdout, float64(cpuUs()-before)/float64(count), peakKib())
	}
	return in.Err()
}

func changed(s *set, words []string) (*set, error) {
	out := &set{files: map[string][]byte{}, at: s.at}
	for name, b := range s.files {
		out.files[name] = b
	}
	for _, word := range words {
		name, digits, _ := strings.Cut(word, "=")
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, err
		}
		out.files[name] = b
	}
	return out, nil
}

func judge(folder string, in *bufio.Scanner) error {
	sets := map[string]*set{}
	out := bufio.NewWriter(stdout)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if sets[words[0]] == nil {
			s, err := load(filepath.Join(folder, words[0]))
			if err != nil {
				return err
			}
			sets[words[0]] = s
		}
		s, err := changed(sets[words[0]], words[1:])
		if err != nil {
			return err
		}
		if err := verify(s); err != nil {
			fmt.Fprintf(out, "no %q\n", err.Error())
		} else {
			fmt.Fprintln(out, "yes")
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return in.Err()
}

// Where answers go: a library warns on standard output, which from now on is standard error.
var stdout = answers()

func answers() *os.File {
	fd, err := syscall.Dup(1)
	if err != nil || syscall.Dup3(2, 1, 0) != nil {
		os.Exit(1)
	}
	return os.NewFile(uintptr(fd), "answers")
}

func run() error {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	if len(os.Args) == 4 && os.Args[1] == "bench" {
		s, err := load(filepath.Join(os.Args[2], os.Args[3]))
		if err != nil {
			return err
		}
		return bench(s, in)
	}
	if len(os.Args) == 3 && os.Args[1] == "judge" {
		return judge(os.Args[2], in)
	}
	return errors.New("usage: verify bench VECTORS SET | verify judge VECTORS")
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
